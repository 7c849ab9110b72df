import TandemContract
import Testing

@testable import TandemRemote

@Suite struct StreamReaderTests {
    private func events(_ response: Operation.Response, _ pieces: [String]) throws -> (types: [String], skipped: Int) {
        var reader = StreamReader(response, limit: 1_000)
        var frames: [StreamFrame] = []
        for piece in pieces { try reader.read(Array(piece.utf8), into: &frames) }
        reader.finish(into: &frames)
        return (frames.compactMap { $0.event?.type }, reader.skipped)
    }

    @Test func framesHaveATypeWhateverTheyLookLike() throws {
        let text = """
            data: {"type":"a","properties":{}}

            data: {"status":"ready","stream":"x"}

            data: {"kind":"context_run_event"}

            event: named
            data: {"cursor":1}

            data: {"nothing":1}


            """
        let found = try events(.serverSentEvents, [text])
        #expect(found.types == ["a", "ready", "context_run_event", "named", "message"])
    }

    @Test func cutFramesAreCountedAndPassedOver() throws {
        let found = try events(
            .serverSentEvents,
            ["data: {\"type\":\"a...<truncated>\n\ndata: 5\n\ndata: {\"type\":\"b\"}\n\n"]
        )
        #expect(found.types == ["b"])
        #expect(found.skipped == 2)
    }

    @Test func aLongLineInManyPiecesIsReadOnce() throws {
        var reader = StreamReader(.jsonLines, limit: 1 << 20)
        var frames: [StreamFrame] = []
        for byte in #"{"type":"a","x":""#.utf8 { try reader.read([byte], into: &frames) }
        for _ in 0..<200_000 { try reader.read([UInt8(ascii: "x")], into: &frames) }
        try reader.read(Array("\"}\n{\"type\":\"b\"}\n{".utf8), into: &frames)
        #expect(frames.compactMap { $0.event?.type } == ["a", "b"])
    }

    @Test func linesMaySplitAnywhereAndTheLastNeedNotEnd() throws {
        let found = try events(.jsonLines, ["{\"type\":\"a\"}\n\n{\"ty", "pe\":\"b\"}\r\n{\"type\"", ":\"c\"}"])
        #expect(found.types == ["a", "b", "c"])
    }

    @Test func anEventBeyondTheLimitIsAFailure() {
        #expect(throws: Failure.self) { try events(.jsonLines, [String(repeating: "x", count: 2_000)]) }
        #expect(throws: Failure.self) {
            try events(.serverSentEvents, ["data: " + String(repeating: "x", count: 2_000)])
        }
    }
}

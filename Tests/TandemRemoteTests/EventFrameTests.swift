import Testing

@testable import TandemContract
@testable import TandemRemote

@Suite struct EventFrameTests {
    private static let event = #"data: {"type":"t"}"# + "\n\n"

    private func types(_ stream: [UInt8], splitAt split: Int = 0) throws -> (types: [String], skipped: Int) {
        var reader = StreamReader(.serverSentEvents, limit: 1024)
        var frames: [StreamFrame] = []
        try reader.read(Array(stream[..<split]), into: &frames)
        try reader.read(Array(stream[split...]), into: &frames)
        return (frames.compactMap { $0.event?.type }, reader.skipped)
    }

    @Test(arguments: ["ready", "heartbeat", "keepalive"])
    func aFrameThatOnlySaysTheConnectionLivesIsNoEvent(name: String) throws {
        let stream = Array("event: \(name)\n\(Self.event)\(Self.event)".utf8)
        for split in stream.indices {
            let read = try types(stream, splitAt: split)
            #expect(read.types == ["t"])
            #expect(read.skipped == 0)
        }
    }

    @Test(arguments: ["Ready", "HEARTBEAT", "keep-alive", "ping"])
    func anyOtherNameIsTheTypeOfAFrameWithoutOne(name: String) throws {
        #expect(try types(Array("event: \(name)\ndata: {}\n\n".utf8)).types == [name])
    }

    @Test func aTypeOfTheSameNameIsAnEvent() throws {
        #expect(try types(Array((#"data: {"type":"heartbeat"}"# + "\n\n").utf8)).types == ["heartbeat"])
    }

    @Test(
        arguments: [
            ([0xE2, 0x82], "\u{FFFD}"), ([0xFF, 0xFE], "\u{FFFD}\u{FFFD}"), ([0xF0, 0x9F, 0x98], "\u{FFFD}"),
            ([0xC3, 0xA9], "\u{E9}"),
        ] as [([UInt8], String)]
    )
    func bytesThatAreNoTextAreReplaced(bytes: [UInt8], text: String) throws {
        let stream = Array(#"data: {"type":""#.utf8) + bytes + Array(#""}"#.utf8) + Array("\n\n".utf8)
        for split in stream.indices { #expect(try types(stream, splitAt: split).types == [text]) }
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct ResumableStreamTests {
    private func stream(_ name: String) throws -> ResumableStream {
        ResumableStream(try #require(Operation.named(name)))
    }

    private func frame(_ text: String, name: String = "message") throws -> StreamFrame {
        .event(try #require(EventFrame.event(Array(text.utf8), name: name)))
    }

    private func types(_ events: [EngineEvent]) -> [String] { events.map(\.type) }

    private func lose(_ stream: inout ResumableStream, _ failure: Failure = Failure(.engineUnavailable, "gone")) -> Bool
    {
        if case .retry = stream.lost(failure, wait: nil, random: 0) { true } else { false }
    }

    @Test func aCursorGoesOnWhereItWas() throws {
        var stream = try stream("stateful_runtime.events")
        let original = Request(
            OperationNumber(0),
            query: [.init("cursor", "1"), .init("tail", "5")],
            headers: [.init("Last-Event-ID", "1")]
        )
        #expect(stream.request(original).query == original.query, "the first time is the caller's")
        #expect(types(stream.opened()) == ["stream.connected"])
        let events = try [5, 6].map { try frame(#"{"cursor":\#($0),"event":{}}"#, name: "goal") }
        #expect(types(stream.take(events)) == ["goal", "goal"])
        #expect(lose(&stream) == true)
        let next = stream.request(original)
        #expect(next.query == [.init("cursor", "6")])
        #expect(next.headers.isEmpty)
        #expect(types(stream.opened()) == ["stream.connected"])
        let again = try [6, 7].map { try frame(#"{"cursor":\#($0),"event":{}}"#, name: "goal") }
        #expect(types(stream.take(again)) == ["goal"], "what came before is no news")
    }

    @Test func withoutACursorSomethingMayBeMissing() throws {
        var stream = try stream("routines.events")
        let ready = try frame(#"{"status":"ready","stream":"routines","timestamp_ms":1}"#)
        #expect(stream.opened().isEmpty)
        #expect(types(stream.take([ready])) == ["ready"])
        #expect(lose(&stream) == true)
        let said = stream.opened()
        #expect(types(said) == ["stream.connected", "stream.resynced"])
        #expect(said.first?.properties["attempt"]?.integer == 2)
        #expect(said.last?.properties["gaps"]?.integer == 1)
        let event = try frame(#"{"type":"routine.fired","properties":{"routineID":"r"}}"#)
        #expect(types(stream.take([ready, event])) == ["routine.fired"], "the frame that opens it comes once")
    }

    @Test func aStreamWithoutAFirstFrameSaysThatItIsOpen() throws {
        var stream = try stream("audit.stream")
        #expect(types(stream.opened()) == ["stream.connected"])
    }

    @Test func cutFramesAreCounted() throws {
        var stream = try stream("workflows.events")
        _ = stream.opened()
        let events = stream.take([.cut(CutFrame([]))])
        #expect(events.first?.properties["truncated"]?.integer == 1)
        #expect(events.first?.properties["healed"]?.integer == 0)
    }

    @Test(arguments: [401, 403, 404]) func refusalsEndIt(status: Int) throws {
        var stream = try stream("routines.events")
        _ = stream.opened()
        #expect(lose(&stream, Failure(.forbidden, "no", status: status)) == false)
    }

    @Test func aStreamThatNeverBeganEnds() throws {
        var stream = try stream("routines.events")
        #expect(lose(&stream) == false)
    }

    @Test func aConsumerThatIsBehindGoesOnByTheCursor() throws {
        var stream = try stream("context_runs.stream_events")
        _ = stream.opened()
        let frames = try [1, 2, 3].map { try frame(#"{"type":"run.event","properties":{"seq":\#($0)}}"#) }
        let events = stream.take(frames)
        #expect(stream.rewind(before: Array(events.dropFirst())) == true)
        #expect(stream.request(Request(OperationNumber(0))).query == [.init("since_seq", "1")])
        let said = stream.opened()
        #expect(said.last?.properties["healed"]?.integer == 2)
        #expect(types(stream.take(Array(frames.dropFirst()))) == ["run.event", "run.event"])
        var without = try self.stream("routines.events")
        #expect(without.rewind(before: events) == false)
    }

    @Test func aCursorMayBeAnyNumber() throws {
        var stream = try stream("context_runs.stream_events")
        _ = stream.opened()
        let least = try frame(#"{"type":"run.event","properties":{"seq":\#(Int64.min)}}"#)
        #expect(stream.rewind(before: stream.take([least])) == true)
        #expect(stream.request(Request(OperationNumber(0))).query.isEmpty, "none is before it")
        #expect(types(stream.take([least])) == ["run.event"])
    }

    @Test func whatIsNotOpenedAgainHasTheServersEventsAndNoneOfOurs() throws {
        var stream = ResumableStream(try #require(Operation.named("engine.global_stream")), isTold: false)
        #expect(stream.opened().isEmpty)
        let cut = CutFrame(Array(#"{"type":"a","properties":{...<truncated>"#.utf8))
        #expect(types(stream.take([.cut(cut), try frame(#"{"type":"b"}"#)])) == ["b"])
    }
}

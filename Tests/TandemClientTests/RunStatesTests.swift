import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct RunStatesTests {
    private var states = RunStates()

    private mutating func text(_ delta: String, session: String?, run: String?) throws -> String? {
        let context = EventContext(sessionID: session, runID: run, atMilliseconds: 1)
        let properties = try JSONText(checking: #"{"delta":"\#(delta)"}"#)
        let event = NormalizedEvent(type: EventName.sessionResponse, context: context, properties: properties)
        guard let state = states.fold(event) else { return nil }
        var writer = JSONWriter()
        state.text.write(to: &writer)
        return writer.finish().string
    }

    @Test mutating func everyRunHasItsOwn() throws {
        #expect(try text("a", session: "s", run: "r1") == "a")
        #expect(try text("b", session: "t", run: "r2") == "b")
        #expect(try text("c", session: "s", run: "r1") == "ac")
    }

    @Test mutating func eventWithoutARunIsOneOfItsSessionsCurrentRun() throws {
        #expect(try text("?", session: "s", run: nil) == nil)
        #expect(try text("a", session: "s", run: "r1") == "a")
        #expect(try text("b", session: "s", run: nil) == "ab")
        #expect(try text("c", session: nil, run: nil) == nil)
    }

    @Test mutating func oldRunsAreForgotten() throws {
        for number in 0..<300 { #expect(try text("x", session: "s", run: "r\(number)") == "x") }
        #expect(try text("x", session: "s", run: "r0") == "x", "it begins anew")
        #expect(try text("x", session: "s", run: "r299") == "xx")
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct LogPageTests {
    private func page(_ text: String, after: Int64 = 0) throws -> LogPage? {
        LogPage(try JSONText(checking: text), of: "r", after: after)
    }

    @Test func rowsAreEventsInTheirOrder() throws {
        let rows = #"""
            {"events":[{"event_id":"b","seq":5,"event_type":"session.status","payload":{"status":"idle"},"run_id":"r","session_id":"s"},
            {"event_id":"a","seq":4,"event_type":"session.run.started","payload":{},"occurred_at_ms":9,"run_id":"r"}]}
            """#
        let found = try #require(try page(rows))
        #expect(found.events.map(\.type) == ["session.run.started", "session.status"])
        #expect(found.events.last?.properties["status"]?.string == "idle")
        #expect(
            found.events.last?.envelope
                == .init(eventID: "b", seq: 5, occurredAtMilliseconds: 0, sessionID: "s", runID: "r")
        )
        #expect(!found.isFull)
    }

    @Test func anEmptyLogIsALog() throws { #expect(try page(#"{"events":[],"count":0}"#)?.events.isEmpty == true) }

    @Test(arguments: ["{}", "[]", "null", #"{"events":{}}"#, #"{"id":"x","title":"y"}"#])
    func otherAnswersAreNoLog(text: String) throws { #expect(try page(text) == nil) }

    @Test func theLogOfAnotherRunIsNone() throws {
        let rows = #"{"events":[{"event_id":"a","seq":4,"event_type":"t","payload":{},"run_id":"other"}]}"#
        #expect(try page(rows) == nil)
        #expect(try page(#"{"run_id":"other","events":[]}"#) == nil)
        #expect(try page(#"{"run_id":"r","events":[]}"#) != nil)
    }

    @Test func rowsThatWereNotAskedForAreNoLog() throws {
        let rows = #"{"events":[{"event_id":"a","seq":4,"event_type":"t","payload":{}}]}"#
        #expect(try page(rows, after: 4) == nil)
        #expect(try page(rows, after: 3) != nil)
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct EngineEventTests {
    @Test func frameWithoutEnvelopeIsTypeAndProperties() throws {
        let event = try EngineEvent(type: "server.connected", properties: json(#"{"a":1}"#))
        #expect(event.frame.text == #"{"type":"server.connected","properties":{"a":1}}"#)
    }

    @Test func envelopeSaysWhereAndWhen() throws {
        let event = try EngineEvent(
            type: "session.created",
            properties: json(#"{"tenantContext":{"org":"o"}}"#),
            envelope: .init(eventID: "e", seq: 7, occurredAtMilliseconds: 9, sessionID: "s", runID: "r")
        )
        let envelope = try #require(event.frame["envelope"])
        #expect(
            envelope.text
                == #"{"event_id":"e","seq":7,"schema_version":1,"occurred_at_ms":9,"session_id":"s","run_id":"r","#
                + #""tenant_context":{"org":"o"}}"#
        )
    }

    @Test func whatIsNotKnownIsAbsent() {
        let event = EngineEvent(
            type: "x",
            properties: .emptyObject,
            envelope: .init(eventID: "e", seq: 1, occurredAtMilliseconds: 2, sessionID: nil, runID: nil)
        )
        #expect(
            event.frame["envelope"]?.members.map(\.key) == ["event_id", "seq", "schema_version", "occurred_at_ms"]
        )
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemEngine

@Suite struct EventGroupTests {
    static func event(
        _ seq: Int64,
        run: Int64? = 1,
        session: String = "s",
        _ properties: String = "{}"
    ) -> LoggedEvent {
        LoggedEvent(
            run: run,
            event: EngineEvent(
                type: "session.status",
                properties: JSONText(trusted: Array(properties.utf8)),
                envelope: EngineEvent.Envelope(
                    eventID: "e\(seq)",
                    seq: seq,
                    occurredAtMilliseconds: 1_000 + seq,
                    sessionID: session,
                    runID: run.map { "r\($0)" }
                )
            )
        )
    }

    @Test func eventsComeBackAsTheyWere() throws {
        let events = [
            Self.event(7), Self.event(8, #"{"text":"a b\n"}"#), Self.event(9, "{\"a\":\n [1,\n 2]}"),
            Self.event(10, #"{"é":"session.status 3"}"#),
        ]
        let groups = EventGroup.groups(of: events[...])
        #expect(groups.count == 1)
        let group = try #require(groups.first)
        #expect(group.last == 10 && group.count == 4 && group.milliseconds == 1_010)
        #expect(group.events.map(\.event) == events.map(\.event))
        #expect(group.events.map(\.run) == [1, 1, 1, 1])
    }

    @Test func groupsEndWhereTheRunTheSessionOrTheNumbersDo() {
        let events = [
            Self.event(1), Self.event(2), Self.event(3, run: 2), Self.event(4, run: nil), Self.event(5, run: nil),
            Self.event(6, run: nil, session: "t"), Self.event(8, run: nil, session: "t"), Self.event(9),
        ]
        let groups = EventGroup.groups(of: events[...])
        #expect(groups.map(\.last) == [2, 3, 5, 6, 8, 9])
        #expect(groups.flatMap(\.events).map(\.event) == events.map(\.event))
    }

    @Test func groupsStaySmall() {
        let many = (1...200).map { Self.event(Int64($0)) }
        #expect(EventGroup.groups(of: many[...]).map(\.count) == [64, 64, 64, 8])
        let text = #"{"text":"\#(String(repeating: "x", count: 40_000))"}"#
        let large = (1...5).map { Self.event(Int64($0), text) }
        #expect(EventGroup.groups(of: large[...]).map(\.count) == [2, 2, 1])
    }

    @Test func whatIsDamagedEndsTheGroup() throws {
        let group = try #require(EventGroup.groups(of: [Self.event(1), Self.event(2)]).first)
        let half = group.bytes.count / 2
        func read(_ bytes: [UInt8]) -> [String] {
            EventGroup(
                last: 2,
                count: 2,
                run: 1,
                runID: "r1",
                sessionID: "s",
                milliseconds: 0,
                bytes: bytes
            ).events.compactMap { $0.event.envelope?.eventID }
        }
        #expect(read(group.bytes) == ["e1", "e2"])
        for length in half..<group.bytes.count { #expect(read(Array(group.bytes.prefix(length))) == ["e1"]) }
        for length in 0..<half { #expect(read(Array(group.bytes.prefix(length))).isEmpty) }
        #expect(read(Array("e 1 t 9223372036854775807\n{}".utf8)).isEmpty)
        #expect(read(Array("e 1 t -1\n{}".utf8)).isEmpty)
        #expect(read([0xFF, 0x0A, 0x20]).isEmpty)
    }
}

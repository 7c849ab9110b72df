import TandemContract
import TandemJSON
import TandemStore
import Testing

@testable import TandemEngine

@Suite struct EventLogTests {
    private let store: Connection

    init() throws {
        store = try Database(memory: "event-log-\(UInt64.random(in: 0 ... .max))").openWriter(Schema.migrator, .process)
        for number in 1...2 {
            try store.run(
                "INSERT INTO runs (number, id, session, session_id, started_ms, answer_id) VALUES (?, ?, ?, 's', 1, 'a')",
                .integer(Int64(number)),
                .text("r\(number)"),
                .integer(Int64(number))
            )
        }
        // Two runs in turn, in groups of three, and an event of the session.
        let events = (1...30).map { EventGroupTests.event($0, run: ($0 - 1) / 3 % 2 + 1) }
        try EventLog.append(events[...], to: store)
        try EventLog.append([EventGroupTests.event(31, run: nil)], to: store)
    }

    private func page(_ filter: EventFilter, after seq: Int64, limit: Int64 = 100) throws -> [Int64]? {
        try EventLog.page(store, filter, after: seq, limit: limit)?.map(\.seq)
    }

    @Test func pagesBeginAndEndInsideGroups() throws {
        let run = EventFilter(runID: "r1")
        #expect(try page(run, after: 0, limit: 4) == [1, 2, 3, 7])
        #expect(try page(run, after: 7, limit: 4) == [8, 9, 13, 14])
        #expect(try page(run, after: 26) == [27])
        #expect(try page(run, after: 27) == [])
        #expect(try page(EventFilter(sessionID: "s"), after: 29) == [30, 31])
        #expect(try page(EventFilter(), after: 8, limit: 3) == [9, 10, 11])
        #expect(try page(EventFilter(runID: "none"), after: 0) == nil)
        #expect(try EventLog.newest(store) == 31)
    }

    @Test func eventsNameTheirRun() throws {
        let events = try EventLog.page(store, EventFilter(), after: 0, limit: 100) ?? []
        #expect(events.map(\.runID).prefix(4) == ["r1", "r1", "r1", "r2"])
        #expect(events.last?.runID == nil)
    }

    @Test func lastPagesGoBackFromANumber() throws {
        func last(after: Int64 = 0, before: Int64 = .max, _ limit: Int64) throws -> [Int64] {
            try EventLog.lastPage(store, run: 2, after: after, before: before, limit: limit).map(\.seq)
        }
        #expect(try last(2) == [29, 30])
        #expect(try last(4) == [24, 28, 29, 30])
        #expect(try last(before: 24, 3) == [18, 22, 23])
        #expect(try last(after: 22, before: 24, 3) == [23])
        #expect(try last(before: 4, 3).isEmpty)
    }

    @Test func aRunsLatestEventTellsWhenItWasActive() throws {
        #expect(try RunStore.lastActivity(1, in: store) == 1_027)
        #expect(try RunStore.lastActivity(2, in: store) == 1_030)
    }

    @Test func eventsOfOlderStatesAreKept() throws {
        let database = Database(memory: "event-log-\(UInt64.random(in: 0 ... .max))")
        let all = Sessions.migrations + Runs.migrations + Events.migrations
        let old = try database.openWriter(
            Migrator(application: Schema.application, all.filter { $0.version < 3 }),
            .process
        )
        let properties = #"{"text":"é\n","n":[1, 2]}"#
        for seq in 4...6 {
            try old.run(
                "INSERT INTO events (seq, event_id, run, session_id, at_ms, type, payload) VALUES (?, ?, ?, 's', ?, ?, ?)",
                .integer(Int64(seq)),
                .text("e\(seq)"),
                .integer(seq == 6 ? nil : 1),
                .integer(1_000 + Int64(seq)),
                .text("session.status"),
                .blob(Array(properties.utf8))
            )
        }
        try Migrator(application: Schema.application, all).migrate(old)
        let events = try EventLog.page(old, EventFilter(), after: 3, limit: 9) ?? []
        #expect(events.map(\.seq) == [4, 5, 6])
        #expect(events.map(\.run) == [1, 1, nil])
        #expect(events.map(\.event.properties.text) == [properties, properties, properties])
        #expect(events.compactMap { $0.event.envelope?.eventID } == ["e4", "e5", "e6"])
        #expect(events.compactMap { $0.event.envelope?.occurredAtMilliseconds } == [1_004, 1_005, 1_006])
        #expect(try EventLog.newest(old) == 6)
    }
}

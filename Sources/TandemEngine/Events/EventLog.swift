internal import TandemContract
internal import TandemStore

/// The stored events: written in the commit that has their effects, numbered without end.
enum EventLog {
    static let migrations = [
        Migration(
            1,
            """
            CREATE TABLE events (
                seq INTEGER PRIMARY KEY,
                event_id TEXT NOT NULL,
                run INTEGER,
                session_id TEXT,
                at_ms INTEGER NOT NULL,
                type TEXT NOT NULL,
                payload BLOB NOT NULL
            );
            CREATE INDEX events_of_run ON events (run) WHERE run IS NOT NULL
            """
        ),
        Migration(
            3,
            """
            CREATE TABLE event_groups (
                last INTEGER PRIMARY KEY,
                count INTEGER NOT NULL,
                run INTEGER,
                session_id TEXT,
                at_ms INTEGER NOT NULL,
                events BLOB NOT NULL
            );
            CREATE INDEX event_groups_of_run ON event_groups (run) WHERE run IS NOT NULL;
            INSERT INTO event_groups (last, count, run, session_id, at_ms, events)
            SELECT seq, 1, run, session_id, at_ms, CAST(
                event_id || ' ' || at_ms || ' ' || type || ' ' || length(payload) || char(10) || CAST(payload AS TEXT)
                AS BLOB)
            FROM events ORDER BY seq;
            DROP TABLE events
            """
        ),
    ]

    static func newest(_ store: Connection) throws(StoreError) -> Int64 {
        try store.first("SELECT max(last) FROM event_groups") { $0.integer(0) } ?? 0
    }

    static func append(_ events: ArraySlice<LoggedEvent>, to store: Connection) throws(StoreError) {
        for group in EventGroup.groups(of: events) {
            try store.run(
                "INSERT INTO event_groups (last, count, run, session_id, at_ms, events) VALUES (?, ?, ?, ?, ?, ?)",
                .integer(group.last),
                .integer(group.count),
                .integer(group.run),
                .text(group.sessionID),
                .integer(group.milliseconds),
                .blob(group.bytes)
            )
        }
    }

    /// The events after a number, the earliest first; nil when the run is not known.
    static func page(
        _ store: Connection,
        _ filter: EventFilter,
        after seq: Int64,
        limit: Int64
    ) throws(StoreError) -> [LoggedEvent]? {
        var events: [LoggedEvent] = []
        let take: (borrowing Row) -> Bool = { row in
            events += group(row).events.drop { $0.seq <= seq }.prefix(Int(limit) - events.count)
            return events.count < limit
        }
        if let runID = filter.runID {
            guard let run = try RunStore.number(runID, in: store) else { return nil }
            let sql = "\(columns) WHERE e.run = ? AND e.last > ? ORDER BY e.last"
            try store.read(sql, [.integer(run), .integer(seq)], while: take)
        } else if let sessionID = filter.sessionID {
            let sql = "\(columns) WHERE e.last > ? AND e.session_id = ? ORDER BY e.last"
            try store.read(sql, [.integer(seq), .text(sessionID)], while: take)
        } else {
            try store.read("\(columns) WHERE e.last > ? ORDER BY e.last", [.integer(seq)], while: take)
        }
        return events
    }

    /// A run's last events before a number, the earliest first.
    static func lastPage(
        _ store: Connection,
        run: Int64,
        after: Int64,
        before: Int64,
        limit: Int64
    ) throws(StoreError) -> [LoggedEvent] {
        var events: [LoggedEvent] = []
        try backwards(store, run: run) { event in
            if event.seq <= after { return false }
            if event.seq < before { events.append(event) }
            return events.count < limit
        }
        return events.reversed()
    }

    /// A run's events from the last one back, as long as `body` wants more.
    static func backwards(
        _ store: Connection,
        run: Int64,
        _ body: (LoggedEvent) -> Bool
    ) throws(StoreError) {
        try store.read("\(columns) WHERE e.run = ? ORDER BY e.last DESC", [.integer(run)]) { row in
            group(row).events.reversed().allSatisfy(body)
        }
    }

    private static let columns = """
        SELECT e.last, e.count, e.run, e.session_id, e.at_ms, e.events, r.id
        FROM event_groups e LEFT JOIN runs r ON r.number = e.run
        """

    private static func group(_ row: borrowing Row) -> EventGroup {
        EventGroup(
            last: row.integer(0),
            count: row.integer(1),
            run: row.optionalInteger(2),
            runID: row.optionalText(6),
            sessionID: row.optionalText(3),
            milliseconds: row.integer(4),
            bytes: row.bytes(5)
        )
    }
}

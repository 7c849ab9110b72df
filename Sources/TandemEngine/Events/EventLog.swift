internal import TandemContract
internal import TandemJSON
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
        )
    ]

    static func newest(_ store: Connection) throws(StoreError) -> Int64 {
        try store.first("SELECT max(seq) FROM events") { $0.integer(0) } ?? 0
    }

    static func append(_ event: LoggedEvent, to store: Connection) throws(StoreError) {
        guard let envelope = event.event.envelope else { return }
        try store.run(
            "INSERT INTO events (seq, event_id, run, session_id, at_ms, type, payload) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .integer(envelope.seq),
            .text(envelope.eventID),
            .integer(event.run),
            .text(envelope.sessionID),
            .integer(envelope.occurredAtMilliseconds),
            .text(event.event.type),
            .blob(Array(event.event.properties.bytes))
        )
    }

    /// The events after a number, the earliest first; nil when the run is not known.
    static func page(
        _ store: Connection,
        _ filter: EventFilter,
        after seq: Int64,
        limit: Int64
    ) throws(StoreError) -> [LoggedEvent]? {
        if let runID = filter.runID {
            guard
                let run = try store.first("SELECT number FROM runs WHERE id = ?", .text(runID), row: { $0.integer(0) })
            else { return nil }
            return try store.all(
                "\(columns) WHERE e.run = ? AND e.seq > ? ORDER BY e.seq LIMIT ?",
                .integer(run),
                .integer(seq),
                .integer(limit),
                row: event
            )
        }
        if let sessionID = filter.sessionID {
            return try store.all(
                "\(columns) WHERE e.seq > ? AND e.session_id = ? ORDER BY e.seq LIMIT ?",
                .integer(seq),
                .text(sessionID),
                .integer(limit),
                row: event
            )
        }
        return try store.all(
            "\(columns) WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
            .integer(seq),
            .integer(limit),
            row: event
        )
    }

    /// A run's last events before a number, the earliest first.
    static func lastPage(
        _ store: Connection,
        run: Int64,
        after: Int64,
        before: Int64,
        limit: Int64
    ) throws(StoreError) -> [LoggedEvent] {
        try store.all(
            "\(columns) WHERE e.run = ? AND e.seq > ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?",
            .integer(run),
            .integer(after),
            .integer(before),
            .integer(limit),
            row: event
        ).reversed()
    }

    private static let columns = """
        SELECT e.seq, e.event_id, e.run, e.session_id, e.at_ms, e.type, e.payload, r.id
        FROM events e LEFT JOIN runs r ON r.number = e.run
        """

    private static func event(_ row: borrowing Row) -> LoggedEvent {
        LoggedEvent(
            run: row.optionalInteger(2),
            event: EngineEvent(
                type: row.text(5),
                properties: JSONText(trusted: row.bytes(6)),
                envelope: EngineEvent.Envelope(
                    eventID: row.text(1),
                    seq: row.integer(0),
                    occurredAtMilliseconds: row.integer(4),
                    sessionID: row.optionalText(3),
                    runID: row.optionalText(7)
                )
            )
        )
    }
}

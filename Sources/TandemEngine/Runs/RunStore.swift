internal import TandemStore

/// The tables of runs and of the keys that prompts came with.
enum RunStore {
    static let migrations = [
        Migration(
            1,
            """
            CREATE TABLE runs (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                session INTEGER NOT NULL,
                session_id TEXT NOT NULL,
                started_ms INTEGER NOT NULL,
                client_id TEXT,
                agent_id TEXT,
                agent_profile TEXT,
                answer_id TEXT NOT NULL,
                finished_ms INTEGER,
                status TEXT
            );
            CREATE UNIQUE INDEX active_runs ON runs (session) WHERE finished_ms IS NULL;
            CREATE TABLE prompt_keys (
                key TEXT PRIMARY KEY,
                session_id TEXT NOT NULL,
                fingerprint TEXT NOT NULL,
                run_id TEXT NOT NULL
            ) WITHOUT ROWID
            """
        )
    ]

    static func insert(
        _ names: RunNames,
        session: Int64,
        at milliseconds: Int64,
        into store: Connection
    ) throws(StoreError) -> Int64 {
        try store.run(
            """
            INSERT INTO runs (id, session, session_id, started_ms, client_id, agent_id, agent_profile, answer_id)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(names.runID),
            .integer(session),
            .text(names.sessionID),
            .integer(milliseconds),
            .text(names.clientID),
            .text(names.agentID),
            .text(names.agentProfile),
            .text(names.answerID)
        )
        return store.lastRow
    }

    static func finish(
        _ run: Int64,
        _ end: RunEnd,
        at milliseconds: Int64,
        in store: Connection
    ) throws(StoreError) {
        try store.run(
            "UPDATE runs SET finished_ms = ?, status = ? WHERE number = ?",
            .integer(milliseconds),
            .text(end.status.rawValue),
            .integer(run)
        )
    }

    static func number(_ id: String, in store: Connection) throws(StoreError) -> Int64? {
        try store.first("SELECT number FROM runs WHERE id = ?", .text(id)) { $0.integer(0) }
    }

    /// When the run's latest event was.
    static func lastActivity(_ run: Int64, in store: Connection) throws(StoreError) -> Int64? {
        try store.first(
            "SELECT at_ms FROM event_groups WHERE run = ? ORDER BY last DESC LIMIT 1",
            .integer(run)
        ) { $0.integer(0) }
    }

    struct Key {
        let sessionID: String
        let fingerprint: String
        let runID: String
    }

    static func key(_ key: String, in store: Connection) throws(StoreError) -> Key? {
        try store.first(
            "SELECT session_id, fingerprint, run_id FROM prompt_keys WHERE key = ?",
            .text(key)
        ) { row in
            Key(sessionID: row.text(0), fingerprint: row.text(1), runID: row.text(2))
        }
    }

    static func insert(_ name: String, _ key: Key, into store: Connection) throws(StoreError) {
        try store.run(
            "INSERT INTO prompt_keys (key, session_id, fingerprint, run_id) VALUES (?, ?, ?, ?)",
            .text(name),
            .text(key.sessionID),
            .text(key.fingerprint),
            .text(key.runID)
        )
    }
}

internal import TandemJSON
internal import TandemStore

/// One request for a permission: it is kept after its answer.
struct PermissionRequest: Equatable, Sendable {
    enum Status {
        static let pending = "pending"
        /// The run ended before anybody answered.
        static let cancelled = "cancelled"
        /// The process ended before anybody answered.
        static let restarted = "runtime_restarted"
    }

    let id: String
    let sessionID: String
    let run: Int64
    let tool: String
    let arguments: JSONText
    let requestedMilliseconds: Int64
    /// When its run ends at the latest.
    let expiresMilliseconds: Int64
    var status = Status.pending
    var decidedMilliseconds: Int64?
    var decidedBy: String?
    var ruleID: String?

    /// What was asked for: the same call has the same.
    var digest: String { SHA256.hexadecimal(tool + "\n" + arguments.text) }
}

/// The table of requests.
enum PermissionStore {
    static let migrations = [
        Migration(
            2,
            """
            CREATE TABLE permission_requests (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                session_id TEXT NOT NULL,
                run INTEGER NOT NULL,
                tool TEXT NOT NULL,
                args TEXT NOT NULL,
                requested_ms INTEGER NOT NULL,
                expires_ms INTEGER NOT NULL,
                status TEXT NOT NULL,
                decided_ms INTEGER,
                decided_by TEXT,
                rule_id TEXT
            );
            CREATE INDEX permission_requests_of_session ON permission_requests (session_id);
            CREATE INDEX pending_permission_requests ON permission_requests (run) WHERE status = 'pending'
            """
        )
    ]

    /// As many are shown.
    private static let shown: Int64 = 1_000

    static func insert(_ request: PermissionRequest, into store: Connection) throws(StoreError) {
        try store.run(
            """
            INSERT INTO permission_requests (id, session_id, run, tool, args, requested_ms, expires_ms, status)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(request.id),
            .text(request.sessionID),
            .integer(request.run),
            .text(request.tool),
            .text(request.arguments.text),
            .integer(request.requestedMilliseconds),
            .integer(request.expiresMilliseconds),
            .text(request.status)
        )
    }

    static func update(_ request: PermissionRequest, in store: Connection) throws(StoreError) {
        try store.run(
            "UPDATE permission_requests SET status = ?, decided_ms = ?, decided_by = ?, rule_id = ? WHERE id = ?",
            .text(request.status),
            request.decidedMilliseconds.map { .integer($0) } ?? .null,
            .text(request.decidedBy),
            .text(request.ruleID),
            .text(request.id)
        )
    }

    static func find(_ id: String, in store: Connection) throws(StoreError) -> PermissionRequest? {
        try store.first("\(columns) WHERE id = ?", .text(id), row: request)
    }

    /// Settles what a run that is over still waits for.
    static func close(
        run: Int64,
        as status: String,
        at milliseconds: Int64,
        in store: Connection
    ) throws(StoreError) {
        try store.run(
            """
            UPDATE permission_requests SET status = ?, decided_ms = ?, decided_by = 'system'
            WHERE run = ? AND status = 'pending'
            """,
            .text(status),
            .integer(milliseconds),
            .integer(run)
        )
    }

    /// The latest ones, the earliest of them first.
    static func all(in store: Connection) throws(StoreError) -> [PermissionRequest] {
        try store.all("\(columns) ORDER BY number DESC LIMIT ?", .integer(shown), row: request).reversed()
    }

    private static let columns = """
        SELECT id, session_id, run, tool, args, requested_ms, expires_ms, status, decided_ms, decided_by, rule_id
        FROM permission_requests
        """

    private static func request(_ row: borrowing Row) -> PermissionRequest {
        PermissionRequest(
            id: row.text(0),
            sessionID: row.text(1),
            run: row.integer(2),
            tool: row.text(3),
            arguments: JSONText(trusted: Array(row.text(4).utf8)),
            requestedMilliseconds: row.integer(5),
            expiresMilliseconds: row.integer(6),
            status: row.text(7),
            decidedMilliseconds: row.optionalInteger(8),
            decidedBy: row.optionalText(9),
            ruleID: row.optionalText(10)
        )
    }
}

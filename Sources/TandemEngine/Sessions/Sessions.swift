internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

/// Sessions: records, lists and messages.
enum Sessions {
    static let migrations = SessionStore.migrations + MessageStore.migrations + ToolCallStore.migrations

    static let handlers: [Handler] = [
        .write(.sessionsCreate, create),
        .read(.sessionsList, list),
        .read(.sessionsGet, get),
        .write(.sessionsUpdate, update),
        .write(.sessionsArchive, update),
        .write(.sessionsDelete, delete),
        .read(.sessionsMessages, messages),
        .read(.sessionsTodos, todos),
    ]

    /// One statement, whose rows are spliced into the reply.
    @Sendable static func get(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        var bytes: [UInt8] = []
        var count = 0
        try stored { () throws(StoreError) in
            try reading.connection.each(
                """
                SELECT s.wire, m.wire FROM sessions s LEFT JOIN messages m ON m.session = s.number
                WHERE s.id = ? ORDER BY m.number
                """,
                [.text(request.path("session_id"))]
            ) { row in
                if count == 0 { row.append(0, to: &bytes) } else { bytes.append(UInt8(ascii: ",")) }
                row.append(1, to: &bytes)
                count += 1
            }
        }
        guard count > 0 else { return .empty(404) }
        return .json(JSONText(trusted: bytes + SessionRecord.wireEnd))
    }

    @Sendable static func messages(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        guard let session = try number(reading, request) else { return .empty(404) }
        return .json(
            try stored { () throws(StoreError) in try MessageStore.wire(session: session, in: reading.connection) }
        )
    }

    @Sendable static func todos(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        if try number(reading, request) == nil { return .empty(404) }
        return .json(
            try stored { () throws(StoreError) in
                try TodoStore.items(of: request.path("session_id"), in: reading.connection)
            }
        )
    }

    @Sendable static func update(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        let fields = try Fields(body: request.body)
        let title = try fields.string("title")
        let isArchived = try fields.boolean("archived")
        let rules = try fields.objects("permission")
        guard var session = try find(batch, request) else { return .empty(404) }
        if let title { session.title = title }
        if let isArchived { session.isArchived = isArchived }
        if let rules {
            session.permission = PermissionRules.add(rules.map(\.body), to: session.permission, batch.context)
        }
        session.updatedMilliseconds = batch.context.clock.milliseconds
        return .json(
            try stored { () throws(StoreError) in
                try SessionStore.update(session, in: batch.store)
                return session.raw(messages: try MessageStore.raw(session: session.number, in: batch.store))
            }
        )
    }

    /// A session with an active run is not deleted: the run is stopped, and the caller comes again.
    @Sendable static func delete(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        guard let session = try find(batch, request) else { return .empty(404) }
        if let run = batch.run(ofSession: session.id) {
            return try stored { () throws(StoreError) in
                let active = try Runs.activity(of: run, in: batch, isRefusal: false)
                try batch.publish(.deleteDeferred, of: run)
                try batch.step(run, .cancelled)
                return .json(
                    JSONWriter.object { writer in
                        writer.member("deleted", false)
                        writer.member("cancelRequested", true)
                        writer.member("activeRun", active)
                        writer.member("reason", "active_run")
                    }
                )
            }
        }
        try stored { () throws(StoreError) in
            try forgetTools(of: session, batch.store)
            try batch.store.run("DELETE FROM messages WHERE session = ?", .integer(session.number))
            try batch.store.run("DELETE FROM prompt_keys WHERE session_id = ?", .text(session.id))
            try batch.store.run("DELETE FROM sessions WHERE number = ?", .integer(session.number))
        }
        return .json(JSONWriter.object { $0.member("deleted", true) })
    }

    private static func forgetTools(of session: SessionRecord, _ store: Connection) throws(StoreError) {
        try store.run(
            "DELETE FROM tool_calls WHERE message IN (SELECT number FROM messages WHERE session = ?)",
            .integer(session.number)
        )
        for table in ["permission_requests", "questions", "todos"] {
            try store.run("DELETE FROM \(table) WHERE session_id = ?", .text(session.id))
        }
    }

    static func find(_ batch: Batch, _ request: Request) throws(Halt) -> SessionRecord? {
        try stored { () throws(StoreError) in
            try SessionStore.find(request.path("session_id"), in: batch.store)
        }
    }

    static func number(_ reading: Reading, _ request: Request) throws(Halt) -> Int64? {
        try stored { () throws(StoreError) in
            try SessionStore.number(request.path("session_id"), in: reading.connection)
        }
    }
}

internal import TandemJSON
internal import TandemStore

/// The table of sessions.
enum SessionStore {
    static let migrations = [
        Migration(
            1,
            """
            CREATE TABLE sessions (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                title TEXT NOT NULL,
                directory TEXT NOT NULL,
                workspace_root TEXT NOT NULL,
                has_directory INTEGER NOT NULL,
                pinned_workspace TEXT,
                project_id TEXT NOT NULL,
                created_ms INTEGER NOT NULL,
                updated_ms INTEGER NOT NULL,
                archived INTEGER NOT NULL,
                model_provider TEXT,
                model_id TEXT,
                provider TEXT,
                temperature REAL,
                top_p REAL,
                max_tokens INTEGER,
                source_kind TEXT NOT NULL,
                source TEXT NOT NULL,
                source_metadata BLOB,
                permission BLOB NOT NULL,
                search TEXT NOT NULL,
                wire BLOB NOT NULL
            );
            CREATE INDEX sessions_by_update ON sessions (updated_ms)
            """
        )
    ]

    static func insert(_ session: SessionRecord, into store: Connection) throws(StoreError) {
        try store.run(
            """
            INSERT INTO sessions (id, title, directory, workspace_root, has_directory, pinned_workspace, project_id,
                created_ms, updated_ms, archived, model_provider, model_id, provider, temperature, top_p, max_tokens,
                source_kind, source, source_metadata, permission, search, wire)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(session.id),
            .text(session.title),
            .text(session.directory),
            .text(session.workspaceRoot),
            .integer(session.hasDirectory),
            .text(session.pinnedWorkspace),
            .text(session.projectID),
            .integer(session.createdMilliseconds),
            .integer(session.updatedMilliseconds),
            .integer(session.isArchived),
            .text(session.model?.providerID),
            .text(session.model?.modelID),
            .text(session.provider),
            .real(session.sampling.temperature),
            .real(session.sampling.topP),
            .integer(session.sampling.maxTokens.map { Int64($0) }),
            .text(session.sourceKind),
            .text(SessionRecord.normalizedSource(session.sourceKind)),
            .blob(session.sourceMetadata.map { Array($0.bytes) }),
            .blob(Array(session.permission.bytes)),
            .text(session.searchText),
            .blob(session.wireHead)
        )
    }

    /// Writes what can change: title, time, archive flag and rules.
    static func update(_ session: SessionRecord, in store: Connection) throws(StoreError) {
        try store.run(
            """
            UPDATE sessions SET title = ?, updated_ms = ?, archived = ?, permission = ?, search = ?, wire = ?
            WHERE number = ?
            """,
            .text(session.title),
            .integer(session.updatedMilliseconds),
            .integer(session.isArchived),
            .blob(Array(session.permission.bytes)),
            .text(session.searchText),
            .blob(session.wireHead),
            .integer(session.number)
        )
    }

    /// Writes when it was changed last.
    static func touch(_ session: SessionRecord, in store: Connection) throws(StoreError) {
        try store.run(
            "UPDATE sessions SET updated_ms = ?, wire = ? WHERE number = ?",
            .integer(session.updatedMilliseconds),
            .blob(session.wireHead),
            .integer(session.number)
        )
    }

    static func find(_ id: String, in store: Connection) throws(StoreError) -> SessionRecord? {
        try store.first(
            """
            SELECT number, id, title, directory, workspace_root, has_directory, pinned_workspace, project_id,
                created_ms, updated_ms, archived, model_provider, model_id, provider, temperature, top_p, max_tokens,
                source_kind, source_metadata, permission
            FROM sessions WHERE id = ?
            """,
            .text(id),
            row: record
        )
    }

    static func number(_ id: String, in store: Connection) throws(StoreError) -> Int64? {
        try store.first("SELECT number FROM sessions WHERE id = ?", .text(id)) { $0.integer(0) }
    }

    private static func record(_ row: borrowing Row) -> SessionRecord {
        SessionRecord(
            number: row.integer(0),
            id: row.text(1),
            title: row.text(2),
            directory: row.text(3),
            workspaceRoot: row.text(4),
            hasDirectory: row.boolean(5),
            pinnedWorkspace: row.optionalText(6),
            projectID: row.text(7),
            createdMilliseconds: row.integer(8),
            updatedMilliseconds: row.integer(9),
            isArchived: row.boolean(10),
            model: ModelReference(providerID: row.text(11), modelID: row.text(12)),
            provider: row.optionalText(13),
            sampling: Prompt.Sampling(
                temperature: row.optionalReal(14),
                topP: row.optionalReal(15),
                maxTokens: row.optionalInteger(16).map { Int($0) }
            ),
            sourceKind: row.text(17),
            sourceMetadata: row.optionalBytes(18).map { JSONText(trusted: $0) },
            permission: JSONText(trusted: row.bytes(19))
        )
    }
}

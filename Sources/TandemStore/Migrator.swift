/// One step from a version of the schema to the next.
package struct Migration: Sendable {
    /// The version that the database has afterwards, from 1 on; several steps may lead to one version.
    package let version: Int64
    package let sql: String

    package init(_ version: Int64, _ sql: String) {
        self.version = version
        self.sql = sql
    }
}

/// Brings a database of ours to the newest schema.
package struct Migrator: Sendable {
    private let application: Int32
    private let steps: [Migration]

    /// The newest version that is known here.
    package var newest: Int64 { steps.last?.version ?? 0 }

    package init(application: Int32, _ steps: [Migration]) {
        self.application = application
        // Steps of one version stay in their order: the sort is stable.
        self.steps = steps.sorted { $0.version < $1.version }
    }

    /// Reads only: throws where the database is not ours or is from a later version.
    package func check(_ connection: Connection) throws(StoreError) {
        let owner = try connection.first("PRAGMA application_id") { $0.integer(0) } ?? 0
        let tables = try connection.first("SELECT count(*) FROM sqlite_master") { $0.integer(0) } ?? 0
        guard owner == Int64(application) || (owner == 0 && tables == 0) else {
            throw StoreError(.foreign, "the database belongs to another application")
        }
        let version = try self.version(connection)
        guard version <= newest else {
            throw StoreError(.newer, "the database has version \(version), this library knows \(newest)")
        }
    }

    /// All missing steps in one transaction.
    package func migrate(_ connection: Connection) throws(StoreError) {
        try check(connection)
        guard try version(connection) < newest else { return }
        try connection.transaction { () throws(StoreError) in
            let version = try version(connection)
            for step in steps where step.version > version { try connection.script(step.sql) }
            try connection.script("PRAGMA application_id = \(application); PRAGMA user_version = \(newest)")
        }
    }

    private func version(_ connection: Connection) throws(StoreError) -> Int64 {
        try connection.first("PRAGMA user_version") { $0.integer(0) } ?? 0
    }
}

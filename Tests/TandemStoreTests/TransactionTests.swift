import Testing

@testable import TandemStore

@Suite struct TransactionTests {
    private func open() throws -> Connection {
        let connection = try Connection(":memory:", .write)
        try connection.script("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
        return connection
    }

    private func count(_ connection: Connection) throws -> Int64? {
        try connection.first("SELECT count(*) FROM t") { $0.integer(0) }
    }

    @Test func whatSucceedsStays() throws {
        let connection = try open()
        try connection.transaction { () throws(StoreError) in _ = try connection.run("INSERT INTO t VALUES (1, 2)") }
        #expect(try count(connection) == 1)
        #expect(!connection.isInTransaction)
    }

    @Test func whatFailsIsTakenBack() throws {
        let connection = try open()
        #expect(throws: StoreError.self) {
            try connection.transaction { () throws(StoreError) in
                try connection.run("INSERT INTO t VALUES (1, 2)")
                try connection.run("INSERT INTO t VALUES (1, 2)")
            }
        }
        #expect(try count(connection) == 0)
        #expect(!connection.isInTransaction)
    }

    @Test func aFullDatabaseSaysSoAndGoesOnWhenThereIsRoom() throws {
        let connection = try open()
        _ = try connection.first("PRAGMA max_page_count = 10") { $0.integer(0) }
        let big = Value.blob([UInt8](repeating: 1, count: 100_000))
        do throws(StoreError) {
            try connection.transaction { () throws(StoreError) in
                _ = try connection.run("INSERT INTO t (b) VALUES (?)", big)
            }
            Issue.record("there was room")
        } catch { #expect(error.kind == .full) }
        #expect(!connection.isInTransaction)
        try connection.transaction { () throws(StoreError) in _ = try connection.run("INSERT INTO t (b) VALUES (1)") }
        #expect(try count(connection) == 1)
    }
}

import Testing

@testable import TandemStore

@Suite struct MigratorTests {
    private static let application: Int32 = 9
    private let first = Migrator(
        application: application,
        [Migration(1, "CREATE TABLE a (x)"), Migration(1, "CREATE TABLE b (x)")]
    )
    private let second = Migrator(
        application: application,
        [
            Migration(2, "ALTER TABLE a ADD COLUMN y"), Migration(1, "CREATE TABLE a (x)"),
            Migration(1, "CREATE TABLE b (x)"),
        ]
    )

    private func version(_ connection: Connection) throws -> Int64? {
        try connection.first("PRAGMA user_version") { $0.integer(0) }
    }

    @Test func stepsRunOnceAndInOrder() throws {
        let connection = try Connection(":memory:", .write)
        try first.migrate(connection)
        try first.migrate(connection)
        #expect(try version(connection) == 1)
        try second.migrate(connection)
        #expect(try version(connection) == 2)
        try connection.run("INSERT INTO a (x, y) VALUES (1, 2)")
        #expect(try connection.first("PRAGMA application_id") { $0.integer(0) } == 9)
    }

    @Test func aLaterVersionIsRefused() throws {
        let connection = try Connection(":memory:", .write)
        try second.migrate(connection)
        do throws(StoreError) {
            try first.migrate(connection)
            Issue.record("taken")
        } catch { #expect(error.kind == .newer) }
    }

    @Test func aFailingStepLeavesTheOldVersion() throws {
        let connection = try Connection(":memory:", .write)
        try first.migrate(connection)
        let broken = Migrator(application: 9, [Migration(2, "CREATE TABLE c (x); CREATE TABLE a (x)")])
        #expect(throws: StoreError.self) { try broken.migrate(connection) }
        #expect(try version(connection) == 1)
        #expect(throws: StoreError.self) { try connection.run("SELECT * FROM c") }
    }
}

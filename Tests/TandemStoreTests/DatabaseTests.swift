import Testing

@testable import TandemStore

@Suite struct DatabaseTests {
    private let file = TestFile()

    private func kind(_ body: () throws(StoreError) -> Void) -> StoreError.Kind? {
        do throws(StoreError) {
            try body()
            return nil
        } catch { return error.kind }
    }

    @Test func readersSeeWhatWasCommitted() throws {
        for database in [Database(path: file.path), Database(memory: "readers")] {
            let writer = try database.openWriter(migrator, .process)
            let reader = try database.openReader()
            try writer.run("INSERT INTO t (b) VALUES (7)")
            #expect(try reader.first("SELECT b FROM t") { $0.integer(0) } == 7)
            #expect(throws: StoreError.self) { try reader.run("DELETE FROM t") }
        }
    }

    @Test func databasesInMemoryAreApart() throws {
        let one = try Database(memory: "one").openWriter(migrator, .process)
        let two = try Database(memory: "two").openWriter(migrator, .process)
        try one.run("INSERT INTO t (b) VALUES (7)")
        #expect(try two.first("SELECT count(*) FROM t") { $0.integer(0) } == 0)
    }

    @Test(arguments: [(Database.Durability.process, Int64(1)), (.power, 2)])
    func durabilityIsAsAsked(durability: Database.Durability, level: Int64) throws {
        let writer = try Database(path: file.path).openWriter(migrator, durability)
        #expect(try writer.first("PRAGMA synchronous") { $0.integer(0) } == level)
        #expect(try writer.first("PRAGMA journal_mode") { $0.text(0) } == "wal")
    }

    @Test(arguments: [("A", 4_096), ("SQLite format 3\0", 0), ("SQLite format 3\0", 8_192), ("x", 0)])
    func whatIsNoDatabaseStaysAsItIs(start: String, zeros: Int) {
        let bytes = Array(start.utf8) + [UInt8](repeating: 0, count: zeros)
        file.bytes = bytes
        #expect(
            kind { () throws(StoreError) in _ = try Database(path: file.path).openWriter(migrator, .process) }
                == .corrupt
        )
        #expect(file.bytes == bytes)
    }

    @Test func aDamagedPageIsFoundAndLeft() throws {
        do {
            let writer = try Database(path: file.path).openWriter(migrator, .process)
            for _ in 0..<200 {
                try writer.run("INSERT INTO t (b) VALUES (?)", .text(String(repeating: "x", count: 200)))
            }
            writer.close()
        }
        var bytes = file.bytes
        for index in 8_192..<min(bytes.count, 20_000) { bytes[index] = 0xA5 }
        file.bytes = bytes
        #expect(
            kind { () throws(StoreError) in _ = try Database(path: file.path).openWriter(migrator, .process) }
                == .corrupt
        )
        #expect(file.bytes == bytes)
    }

    @Test func anotherApplicationsDatabaseStaysAsItIs() throws {
        do {
            let other = try Connection(file.path, .write)
            try other.script("CREATE TABLE theirs (a); PRAGMA application_id = 5")
            other.close()
        }
        let bytes = file.bytes
        #expect(
            kind { () throws(StoreError) in _ = try Database(path: file.path).openWriter(migrator, .process) }
                == .foreign
        )
        #expect(file.bytes == bytes)
    }
}

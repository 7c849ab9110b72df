import Testing

@testable import TandemStore

@Suite struct ConnectionTests {
    private let connection: Connection

    init() throws {
        connection = try Connection(":memory:", .write)
        try connection.script("CREATE TABLE t (a INTEGER PRIMARY KEY, b)")
    }

    @Test(arguments: [
        Value.null, .integer(.min), .integer(.max), .real(0.1), .text(""), .text("a\u{0}é"), .blob([]),
        .blob([0, 255]),
    ])
    func valuesComeBackAsTheyWere(value: Value) throws {
        try connection.run("INSERT INTO t (b) VALUES (?)", value)
        let back = try connection.first("SELECT b, typeof(b) FROM t") { row -> Value in
            switch row.text(1) {
            case "null": .null
            case "integer": .integer(row.integer(0))
            case "real": .real(row.real(0))
            case "text": .text(row.text(0))
            default: .blob(row.bytes(0))
            }
        }
        #expect(back == value)
    }

    @Test func statementsMayBeUsedAgain() throws {
        for number in 1...3 { try connection.run("INSERT INTO t (b) VALUES (?)", .integer(Int64(number))) }
        for _ in 0..<2 { #expect(try connection.first("SELECT b FROM t ORDER BY a DESC") { $0.integer(0) } == 3) }
        #expect(try connection.all("SELECT b FROM t ORDER BY a") { $0.integer(0) } == [1, 2, 3])
        #expect(try connection.run("UPDATE t SET b = 0") == 3)
        #expect(connection.lastRow == 3)
    }

    @Test func noRowIsNil() throws {
        #expect(try connection.first("SELECT a FROM t") { $0.integer(0) } == nil)
    }

    @Test func badSQLIsAnError() {
        #expect(throws: StoreError.self) { try connection.run("SELEKT") }
    }

    @Test func aClosedConnectionThrows() {
        connection.close()
        #expect(throws: StoreError.self) { try connection.run("SELECT 1") }
    }
}

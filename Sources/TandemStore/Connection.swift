internal import CSQLite
internal import Glibc

/// One SQLite connection, used by one thread at a time; statements are prepared once and kept.
@safe package final class Connection {
    package enum Access: Sendable {
        case write
        case read
    }

    private var raw: OpaquePointer?
    private var statements: [StatementText: Statement] = [:]

    /// Statements that differ at run time must not pile up.
    private static let keptStatements = 256

    /// Opens a database, a path or a `file:` URI; a writer makes it when it is missing.
    package init(_ name: String, _ access: Access) throws(StoreError) {
        let isMemory = name.hasSuffix("vfs=memdb")
        // A memdb database has no file that would refuse, and a reader of it must be able to lock it.
        let mode =
            access == .write || isMemory ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY
        let flags = mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_URI
        var opened: OpaquePointer?
        let code = unsafe sqlite3_open_v2(name, &opened, flags, nil)
        guard let opened = unsafe opened else { throw StoreError(.other, "no memory for a database connection") }
        guard code == SQLITE_OK else {
            let error = unsafe StoreError(opened)
            unsafe sqlite3_close_v2(opened)
            throw error
        }
        unsafe raw = opened
        unsafe sqlite3_busy_handler(opened, waitWhileBusy, nil)
        if access == .read { try run("PRAGMA query_only = 1") }
    }

    deinit { close() }

    /// Closes the files now; every later use throws.
    package func close() {
        statements = [:]
        unsafe sqlite3_close_v2(raw)
        unsafe raw = nil
    }

    /// Executes one statement; the number of rows that it changed.
    @discardableResult
    package func run(_ sql: String, _ values: Value...) throws(StoreError) -> Int {
        try statement(sql).run(values) { _ in true }
        return unsafe Int(sqlite3_changes64(raw))
    }

    /// Calls `row` for every row.
    package func each(
        _ sql: String,
        _ values: [Value],
        _ row: (borrowing Row) throws(StoreError) -> Void
    ) throws(StoreError) {
        try statement(sql).run(values) { (found) throws(StoreError) in
            try row(found)
            return true
        }
    }

    /// Calls `row` for every row until it wants no more.
    package func read(
        _ sql: String,
        _ values: [Value],
        while row: (borrowing Row) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try statement(sql).run(values, row: row)
    }

    package func all<Result>(
        _ sql: String,
        _ values: Value...,
        row: (borrowing Row) throws(StoreError) -> Result
    ) throws(StoreError) -> [Result] {
        var results: [Result] = []
        try each(sql, values) { (found) throws(StoreError) in results.append(try row(found)) }
        return results
    }

    /// The first row; nil when there is none.
    package func first<Result>(
        _ sql: String,
        _ values: Value...,
        row: (borrowing Row) throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        var result: Result?
        try statement(sql).run(values) { (found) throws(StoreError) in
            result = try row(found)
            return false
        }
        return result
    }

    /// Executes several statements that take no values.
    package func script(_ sql: String) throws(StoreError) {
        let raw = unsafe try open()
        guard unsafe sqlite3_exec(raw, sql, nil, nil, nil) == SQLITE_OK else { throw unsafe StoreError(raw) }
    }

    package var isInTransaction: Bool { unsafe raw != nil && sqlite3_get_autocommit(raw) == 0 }

    /// The row id of the latest insert.
    package var lastRow: Int64 { unsafe sqlite3_last_insert_rowid(raw) }

    private func open() throws(StoreError) -> OpaquePointer {
        guard let raw = unsafe raw else { throw StoreError(.other, "the database is closed") }
        return unsafe raw
    }

    private func statement(_ sql: String) throws(StoreError) -> Statement {
        let text = StatementText(sql: sql)
        if let kept = statements[text] { return kept }
        let statement = unsafe try Statement(sql, on: open())
        if statements.count >= Connection.keptStatements { statements = [:] }
        statements[text] = statement
        return statement
    }
}

/// A statement's text as a key: literals, which are equal without a look at their bytes, and differ near their ends.
private struct StatementText: Hashable {
    let sql: String

    /// Hashing all of a text would cost as much as a small statement.
    func hash(into hasher: inout Hasher) {
        hasher.combine(sql.utf8.suffix(8).reduce(UInt64(sql.utf8.count)) { $0 << 7 ^ UInt64($1) })
    }
}

/// Waits 20 µs, then twice as long each time up to 2 ms, for about five seconds in all: commits take microseconds, and
/// SQLite's own handler waits at least a millisecond.
private func waitWhileBusy(_: UnsafeMutableRawPointer?, _ count: Int32) -> Int32 {
    guard count < 2_500 else { return 0 }
    usleep(min(2_000, 20 << UInt32(min(count, 7))))
    return 1
}

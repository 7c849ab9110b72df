internal import CSQLite

/// A prepared statement of one connection.
@safe final class Statement {
    private let raw: OpaquePointer
    private let connection: OpaquePointer

    init(_ sql: String, on connection: OpaquePointer) throws(StoreError) {
        var prepared: OpaquePointer?
        let code = unsafe sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &prepared, nil)
        guard code == SQLITE_OK, let prepared = unsafe prepared else { throw unsafe StoreError(connection) }
        unsafe self.raw = prepared
        unsafe self.connection = connection
    }

    deinit { unsafe sqlite3_finalize(raw) }

    /// Binds, steps through all rows and resets; `row` says whether it wants the next one.
    func run(_ values: [Value], row: (borrowing Row) throws(StoreError) -> Bool) throws(StoreError) {
        defer {
            unsafe sqlite3_reset(raw)
            unsafe sqlite3_clear_bindings(raw)
        }
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
        while true {
            switch unsafe sqlite3_step(raw) {
            case SQLITE_ROW: if unsafe try !row(Row(raw)) { return }
            case SQLITE_DONE: return
            default: throw unsafe StoreError(connection)
            }
        }
    }

    private func bind(_ value: Value, at index: Int32) throws(StoreError) {
        let code =
            switch value {
            case .null: unsafe sqlite3_bind_null(raw, index)
            case .integer(let integer): unsafe sqlite3_bind_int64(raw, index, integer)
            case .real(let real): unsafe sqlite3_bind_double(raw, index, real)
            case .text(var text):
                text.withUTF8 { bytes in
                    // An empty buffer may have no address, and that would bind NULL.
                    unsafe bytes.isEmpty
                        ? sqlite3_bind_text(raw, index, "", 0, transient)
                        : bytes.withMemoryRebound(to: CChar.self) { characters in
                            unsafe sqlite3_bind_text64(
                                raw,
                                index,
                                characters.baseAddress,
                                UInt64(bytes.count),
                                transient,
                                UInt8(SQLITE_UTF8)
                            )
                        }
                }
            case .blob(let blob):
                unsafe blob.isEmpty
                    ? sqlite3_bind_zeroblob(raw, index, 0)
                    : blob.withUnsafeBytes { bytes in
                        unsafe sqlite3_bind_blob64(raw, index, bytes.baseAddress, UInt64(bytes.count), transient)
                    }
            }
        if code != SQLITE_OK { throw unsafe StoreError(connection) }
    }
}

/// SQLITE_TRANSIENT, a cast macro that Swift does not import: SQLite makes its own copy.
private var transient: sqlite3_destructor_type { unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

extension StoreError {
    /// The connection's latest error.
    init(_ connection: OpaquePointer) {
        unsafe self.init(
            code: sqlite3_extended_errcode(connection),
            systemError: sqlite3_system_errno(connection),
            message: String(cString: sqlite3_errmsg(connection))
        )
    }
}

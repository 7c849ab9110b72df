internal import CSQLite

/// The row that a statement stands on; good only inside the closure that gets it.
@safe package struct Row: ~Copyable {
    private let statement: OpaquePointer

    init(_ statement: OpaquePointer) { unsafe self.statement = statement }

    package func isNull(_ column: Int32) -> Bool { unsafe sqlite3_column_type(statement, column) == SQLITE_NULL }

    package func integer(_ column: Int32) -> Int64 { unsafe sqlite3_column_int64(statement, column) }

    package func real(_ column: Int32) -> Double { unsafe sqlite3_column_double(statement, column) }

    package func boolean(_ column: Int32) -> Bool { integer(column) != 0 }

    package func text(_ column: Int32) -> String {
        unsafe withBytes(column, sqlite3_column_text) { unsafe String(decoding: $0, as: UTF8.self) }
    }

    package func bytes(_ column: Int32) -> [UInt8] {
        unsafe withBytes(column, sqlite3_column_blob) { unsafe Array($0) }
    }

    /// Adds the column's bytes to others, without a copy in between.
    package func append(_ column: Int32, to bytes: inout [UInt8]) {
        unsafe withBytes(column, sqlite3_column_blob) { unsafe bytes.append(contentsOf: $0) }
    }

    package func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    package func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    package func optionalReal(_ column: Int32) -> Double? { isNull(column) ? nil : real(column) }

    package func optionalBytes(_ column: Int32) -> [UInt8]? { isNull(column) ? nil : bytes(column) }

    /// The length is asked for after the pointer, which may convert the value (https://sqlite.org/c3ref/column_blob.html).
    private func withBytes<Pointer, Result>(
        _ column: Int32,
        _ read: (OpaquePointer, Int32) -> UnsafePointer<Pointer>?,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let start = unsafe read(statement, column)
        let count = unsafe sqlite3_column_bytes(statement, column)
        return unsafe body(UnsafeRawBufferPointer(start: start, count: Int(count)))
    }

    private func withBytes<Result>(
        _ column: Int32,
        _ read: (OpaquePointer, Int32) -> UnsafeRawPointer?,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        let start = unsafe read(statement, column)
        let count = unsafe sqlite3_column_bytes(statement, column)
        return unsafe body(UnsafeRawBufferPointer(start: start, count: Int(count)))
    }
}

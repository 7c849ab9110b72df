internal import Glibc
internal import TandemSystem

/// Where a database is and how it is opened: one writer, and readers beside it.
package struct Database: Sendable {
    package enum Durability: Sendable {
        /// Survives the death of the process.
        case process
        /// Survives a loss of power.
        case power
    }

    private let name: String
    private let path: String?

    /// A database in a file.
    package init(path: String) {
        name = path
        self.path = path
    }

    /// A database in memory that all connections of this value share; gone with the last of them.
    package init(memory unique: String) {
        name = "file:/tandem-\(unique)?vfs=memdb"
        path = nil
    }

    /// Opens the writer, after a look that changes nothing: a file that is broken, foreign or too new stays as it is.
    package func openWriter(
        _ migrator: Migrator,
        _ durability: Durability,
        maximumPages: Int64? = nil
    ) throws(StoreError) -> Connection {
        try look(migrator)
        let connection = try Connection(name, .write)
        // A new file gets its tables and its owner before there is a WAL: they then stand in the file itself.
        if try connection.first("PRAGMA user_version", row: { $0.integer(0) }) == 0 { try migrator.migrate(connection) }
        if path != nil {
            let mode = try connection.first("PRAGMA journal_mode = WAL") { $0.text(0) }
            guard mode == "wal" else { throw StoreError(.other, "the database cannot use a write-ahead log") }
        }
        try migrator.migrate(connection)
        try connection.script(
            """
            PRAGMA synchronous = \(durability == .power ? "FULL" : "NORMAL");
            PRAGMA journal_size_limit = 67108864;
            PRAGMA foreign_keys = 0;
            PRAGMA temp_store = MEMORY
            """
        )
        if let maximumPages { _ = try connection.first("PRAGMA max_page_count = \(maximumPages)") { $0.integer(0) } }
        return connection
    }

    package func openReader() throws(StoreError) -> Connection { try Connection(name, .read) }

    private func look(_ migrator: Migrator) throws(StoreError) {
        guard let path, try DatabaseHeader.isThere(path) else { return }
        let connection = try Connection(name, .read)
        try migrator.check(connection)
        // Small databases are checked whole; of large ones, the first use finds a broken page.
        let pages = try connection.first("PRAGMA page_count") { $0.integer(0) } ?? 0
        guard pages <= Database.checkedPages else { return }
        let verdict = try connection.first("PRAGMA quick_check(1)") { $0.text(0) } ?? "ok"
        guard verdict == "ok" else { throw StoreError(.corrupt, verdict) }
    }

    private static let checkedPages: Int64 = 1_024
}

/// The first bytes of a database file (https://sqlite.org/fileformat2.html section 1.3).
enum DatabaseHeader {
    /// False when there is no file or an empty one; throws when what is there is no database.
    static func isThere(_ path: String) throws(StoreError) -> Bool {
        let fd = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else {
            let code = errno
            if code == ENOENT {
                makePrivate(path)
                return false
            }
            throw StoreError(StoreError.kind(ofSystemError: code), "\(path): \(systemErrorText(code))")
        }
        defer { Glibc.close(fd) }
        var bytes = [UInt8](repeating: 0, count: 100)
        let count = unsafe Glibc.pread(fd, &bytes, bytes.count, 0)
        if count == 0 { return false }
        guard count == bytes.count, bytes.starts(with: Array("SQLite format 3\0".utf8)) else {
            throw StoreError(.corrupt, "\(path) is not a database")
        }
        return true
    }

    /// SQLite would let others read it; its side files take the same rights.
    private static func makePrivate(_ path: String) {
        let fd = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if fd >= 0 { Glibc.close(fd) }
    }
}

internal import CSQLite
internal import Glibc

/// Why SQLite did not do it.
package struct StoreError: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Another connection holds the database for longer than one waits.
        case busy
        /// No space, no rights, or a limit is reached.
        case full
        /// The process may open no more files or start no more threads.
        case exhausted
        /// The file is no database, a broken one, or gone.
        case corrupt
        /// The database belongs to another application.
        case foreign
        /// The database was written by a later version.
        case newer
        case other
    }

    package let kind: Kind
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// Translates an extended result code; `systemError` is the errno behind it, or 0.
    init(code: Int32, systemError: Int32, message: String) {
        self.init(StoreError.kind(of: code, systemError: systemError), message)
    }

    /// Extended codes of what SQLite could not write, whatever errno said (https://www.sqlite.org/rescode.html).
    private static let unwritable: Set<Int32> = Set([3, 4, 5, 6, 19].map { SQLITE_IOERR | $0 << 8 })

    private static func kind(of code: Int32, systemError: Int32) -> Kind {
        if unwritable.contains(code) { return .full }
        return switch code & 0xFF {
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_FULL, SQLITE_READONLY, SQLITE_PERM: .full
        case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
        case SQLITE_CANTOPEN where isGone(systemError): .corrupt
        case SQLITE_IOERR, SQLITE_CANTOPEN: kind(ofSystemError: systemError)
        default: .other
        }
    }

    /// The file was taken away, or its directory.
    private static func isGone(_ systemError: Int32) -> Bool { systemError == ENOENT || systemError == ENOTDIR }

    static func kind(ofSystemError code: Int32) -> Kind {
        switch code {
        case EMFILE, ENFILE: .exhausted
        case ENOSPC, EDQUOT, EFBIG, EROFS, EACCES, EPERM: .full
        default: .other
        }
    }
}

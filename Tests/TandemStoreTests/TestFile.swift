import Glibc

@testable import TandemStore

/// A database file in a directory of its own.
final class TestFile {
    let directory: String
    var path: String { directory + "/test.db" }

    init() {
        var template = Array("/tmp/tandem-store-XXXXXX".utf8CString)
        directory = String(cString: mkdtemp(&template))
    }

    deinit {
        for suffix in ["", "-wal", "-shm", "-journal"] { unlink(path + suffix) }
        rmdir(directory)
    }

    var bytes: [UInt8] {
        get {
            let fd = open(path, O_RDONLY)
            defer { Glibc.close(fd) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = Glibc.read(fd, &bytes, bytes.count)
            return Array(bytes.prefix(max(0, count)))
        }
        set {
            let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
            _ = newValue.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
            Glibc.close(fd)
        }
    }
}

let migrator = Migrator(application: 0x7465_7374, [Migration(1, "CREATE TABLE t (a INTEGER PRIMARY KEY, b)")])

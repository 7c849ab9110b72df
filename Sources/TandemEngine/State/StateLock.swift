internal import Glibc
internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// The lock on a state directory: one engine in all processes, and one in this process.
///
/// POSIX locks do not hold within a process, and closing any descriptor of the file drops them; so the file is opened
/// only after the registry has said that nobody here holds it.
final class StateLock: Sendable {
    private struct File: Hashable {
        let device: UInt64
        let number: UInt64
    }

    private static let held = Lock<Set<File>>([])

    private let descriptor: Lock<Int32>
    private let file: File

    private init(_ descriptor: Int32, _ file: File) {
        self.descriptor = Lock(descriptor)
        self.file = file
    }

    /// Takes the lock, making its file when it is missing.
    static func acquire(_ path: String) throws(Failure) -> StateLock {
        try held.withLock { (held) throws(Failure) in
            if let file = identity(path), held.contains(file) { throw locked(by: getpid()) }
            let descriptor = unsafe Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
            guard descriptor >= 0 else { throw Failure(path: path, systemError: errno) }
            guard let file = identity(path) else {
                Glibc.close(descriptor)
                throw Failure(.stateFull, "\(path) went away while it was opened")
            }
            if let holder = try take(descriptor, path) {
                Glibc.close(descriptor)
                throw locked(by: holder)
            }
            held.insert(file)
            return StateLock(descriptor, file)
        }
    }

    func release() {
        StateLock.held.withLock { held in
            let open = descriptor.withLock { descriptor in
                defer { descriptor = -1 }
                return descriptor
            }
            guard open >= 0 else { return }
            Glibc.close(open)
            held.remove(file)
        }
    }

    deinit { release() }

    private static func identity(_ path: String) -> File? {
        var info = stat()
        guard unsafe stat(path, &info) == 0 else { return nil }
        return File(device: UInt64(info.st_dev), number: UInt64(info.st_ino))
    }

    /// The process that holds the lock; nil when it is ours now.
    private static func take(_ descriptor: Int32, _ path: String) throws(Failure) -> pid_t? {
        while true {
            var region = wholeFile()
            if unsafe fcntl(descriptor, F_SETLK, &region) == 0 { return nil }
            guard errno == EACCES || errno == EAGAIN else { throw Failure(path: path, systemError: errno) }
            // Free again since a moment ago: once more.
            if unsafe fcntl(descriptor, F_GETLK, &region) == 0, region.l_type != Int16(F_UNLCK) { return region.l_pid }
        }
    }

    private static func wholeFile() -> flock {
        var region = flock()
        region.l_type = Int16(F_WRLCK)
        region.l_whence = Int16(SEEK_SET)
        return region
    }

    private static func locked(by holder: pid_t) -> Failure {
        Failure(
            .stateLocked,
            holder == getpid()
                ? "the state is open in this process already" : "the state is open in process \(holder)",
            detail: JSONWriter.object { $0.member("pid", Int64(holder)) }
        )
    }
}

internal import Glibc
internal import TandemContract
internal import TandemStore

/// Where an engine keeps its state, locked for as long as it is open.
struct StateDirectory {
    let database: Database
    let lock: StateLock?

    /// Finds or makes the directory and takes its lock.
    static func open(_ configuration: EngineConfiguration) throws(Failure) -> StateDirectory {
        switch configuration.state {
        case .memory:
            StateDirectory(database: Database(memory: configuration.memoryName), lock: nil)
        case .directory(let path):
            try open(path)
        }
    }

    private static func open(_ path: String) throws(Failure) -> StateDirectory {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw Failure(.invalidArgument, "state has to be a directory's path")
        }
        let absolute = Path.normalized(path, in: Path.workingDirectory)
        try make(absolute)
        guard let directory = Path.canonical(absolute), isDirectory(directory) else {
            throw Failure(.invalidArgument, "state: \(absolute) is not a directory")
        }
        guard unsafe access(directory, R_OK | W_OK | X_OK) == 0 else {
            throw Failure(path: "state: \(directory)", systemError: errno)
        }
        let lock = try StateLock.acquire(directory + "/tandem.lock")
        return StateDirectory(database: Database(path: directory + "/tandem.db"), lock: lock)
    }

    /// Makes what is missing, for the owner alone.
    private static func make(_ path: String) throws(Failure) {
        var sofar = ""
        for part in path.split(separator: "/") {
            sofar += "/" + part
            if unsafe mkdir(sofar, 0o700) == 0 || errno == EEXIST || isDirectory(sofar) { continue }
            throw Failure(path: "state: \(sofar)", systemError: errno)
        }
    }

    private static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return unsafe stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }
}

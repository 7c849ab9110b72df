internal import Glibc

/// Paths as text, made absolute and canonical.
enum Path {
    /// The process's working directory; "/" when it is gone.
    static var workingDirectory: String {
        guard let path = unsafe getcwd(nil, 0) else { return "/" }
        defer { unsafe free(path) }
        return unsafe String(cString: path)
    }

    /// The path with all links resolved; nil when it does not exist.
    static func canonical(_ path: String) -> String? {
        guard !path.utf8.contains(0), let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Absolute and, where it exists, canonical; otherwise without `.` and `..`.
    static func normalized(_ path: String, in base: String) -> String {
        let absolute = path.hasPrefix("/") ? path : base + "/" + path
        return canonical(absolute) ?? lexical(absolute)
    }

    /// True for the directory itself and what is below it; both canonical.
    ///
    /// By bytes, as the system compares: texts are equal to Swift where their characters look the same.
    static func isInside(_ path: String, _ directory: String) -> Bool {
        let below = directory == "/" ? "/" : directory + "/"
        return path.utf8.elementsEqual(directory.utf8) || path.utf8.starts(with: below.utf8)
    }

    static func isReadableDirectory(_ path: String) -> Bool {
        var info = stat()
        guard unsafe stat(path, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else { return false }
        return unsafe access(path, R_OK | X_OK) == 0
    }

    private static func lexical(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }
}

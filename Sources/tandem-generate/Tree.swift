internal import Glibc

/// Why a file could not be read or written.
struct FileError: Error {
    let path: String
    let reason: String

    /// Takes the reason from `errno`.
    init(_ path: String) {
        self.path = path
        reason = unsafe String(cString: strerror(errno))
    }
}

/// The files below the project's folder.
struct Tree {
    let root: String

    func read(_ path: String) throws(FileError) -> [UInt8] {
        guard let file = unsafe fopen(root + "/" + path, "r") else { throw FileError(path) }
        defer { unsafe fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe fread(&buffer, 1, buffer.count, file)
            if count == 0 { break }
            bytes += buffer.prefix(count)
        }
        guard unsafe ferror(file) == 0 else { throw FileError(path) }
        return bytes
    }

    func write(_ path: String, _ text: String) throws(FileError) {
        makeFolders(above: path)
        guard let file = unsafe fopen(root + "/" + path, "w") else { throw FileError(path) }
        let bytes = Array(text.utf8)
        let count = unsafe fwrite(bytes, 1, bytes.count, file)
        guard unsafe fclose(file) == 0, count == bytes.count else { throw FileError(path) }
    }

    func remove(_ path: String) throws(FileError) {
        guard unsafe unlink(root + "/" + path) == 0 else { throw FileError(path) }
    }

    /// The names in a folder, sorted; none where there is no such folder.
    func names(in folder: String) -> [String] {
        guard let directory = unsafe opendir(root + "/" + folder) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    private func makeFolders(above path: String) {
        var folder = root
        for name in path.split(separator: "/").dropLast() {
            folder += "/" + name
            unsafe mkdir(folder, 0o777)
        }
    }
}

extension Tree {
    /// The folder that a file stands in.
    static func folder(of path: String) -> String { path.split(separator: "/").dropLast().joined(separator: "/") }
}

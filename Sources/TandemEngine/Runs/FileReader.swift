internal import Glibc
internal import TandemSystem

/// Reads the text of files for a model: only inside given directories, links resolved, and only so much.
struct FileReader: Sendable {
    /// Where relative paths start; nil when the session works in no directory.
    let directory: String?
    /// What else may be read.
    let workspace: String?

    static let limit = 256 * 1024

    func read(_ part: FilePart) -> FileText {
        if part.mime.lowercased().hasPrefix("image/") {
            return missing(part, "images are not shown to the model yet")
        }
        if part.url.hasPrefix("http://") || part.url.hasPrefix("https://") {
            return missing(part, "addresses on the network are not fetched")
        }
        if part.url.hasPrefix("data:") {
            guard let bytes = DataURL.bytes(part.url) else { return missing(part, "its data URL cannot be read") }
            return shown(part, bytes, isWhole: true)
        }
        switch content(of: part.url) {
        case .failure(let flaw): return missing(part, flaw.reason)
        case .success(let (bytes, isWhole)): return shown(part, bytes, isWhole: isWhole)
        }
    }

    private struct Flaw: Error { let reason: String }

    private func content(of url: String) -> Result<([UInt8], Bool), Flaw> {
        guard let directory else { return .failure(Flaw(reason: "the session works in no directory")) }
        guard let path = FileReader.path(url) else { return .failure(Flaw(reason: "its address cannot be read")) }
        let absolute = path.hasPrefix("/") ? path : directory + "/" + path
        guard let canonical = Path.canonical(absolute) else { return .failure(Flaw(reason: "there is no such file")) }
        // The directories themselves may be reached through links.
        let roots = [directory, workspace].compactMap(\.self).compactMap { Path.canonical($0) }
        guard roots.contains(where: { Path.isInside(canonical, $0) }) else {
            return .failure(Flaw(reason: "it lies outside the workspace"))
        }
        return FileReader.bytes(canonical, inside: roots)
    }

    private static func path(_ url: String) -> String? {
        guard url.hasPrefix("file:") else { return url }
        guard url.hasPrefix("file://") else { return nil }
        let rest = url.dropFirst("file://".count)
        let path = rest.hasPrefix("localhost/") ? rest.dropFirst("localhost".count) : rest
        guard path.hasPrefix("/") else { return nil }
        return DataURL.percentDecoded(path.utf8).flatMap { String(validating: $0, as: UTF8.self) }
    }

    private static func bytes(_ path: String, inside roots: [String]) -> Result<([UInt8], Bool), Flaw> {
        // A link put there since the check is not followed, and a pipe does not block.
        let fd = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard fd >= 0 else { return .failure(Flaw(reason: systemErrorText(errno))) }
        defer { Glibc.close(fd) }
        var info = stat()
        guard unsafe fstat(fd, &info) == 0, info.st_mode & S_IFMT == S_IFREG else {
            return .failure(Flaw(reason: "it is no regular file"))
        }
        // A directory on the way may have become a link since the check: what counts is the file that was opened.
        guard let opened = Path.canonical("/proc/self/fd/\(fd)"), roots.contains(where: { Path.isInside(opened, $0) })
        else { return .failure(Flaw(reason: "it lies outside the workspace")) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(fd, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            }
            if got < 0 && errno == EINTR { continue }
            if got < 0 { return .failure(Flaw(reason: systemErrorText(errno))) }
            if got == 0 { break }
            count += got
        }
        return .success((Array(bytes.prefix(count)), count <= limit))
    }

    private func shown(_ part: FilePart, _ bytes: [UInt8], isWhole: Bool) -> FileText {
        let cut = !isWhole || bytes.count > FileReader.limit
        let kept = cut ? FileReader.wholeCharacters(bytes.prefix(FileReader.limit)) : bytes[...]
        guard !kept.contains(0), let text = String(validating: kept, as: UTF8.self) else {
            return missing(part, "it is not text")
        }
        let note = cut ? "\n[cut after \(kept.count) bytes]" : ""
        return FileText(
            text: "\(part.line)\n--- \(part.title) ---\n\(text)\(note)\n--- end of \(part.title) ---",
            flaw: cut ? "cut after \(kept.count) bytes" : nil
        )
    }

    func missing(_ part: FilePart, _ reason: String) -> FileText {
        FileText(text: "\(part.line)\n[The content of this file is not shown: \(reason).]", flaw: reason)
    }

    /// Takes off the beginning of a character whose rest was cut.
    private static func wholeCharacters(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end = bytes.endIndex
        while end > bytes.startIndex, bytes.endIndex - end < 4, bytes[end - 1] & 0xC0 == 0x80 { end -= 1 }
        guard end > bytes.startIndex, bytes[end - 1] >= 0xC0 else { return bytes }
        let lead = bytes[end - 1]
        let length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        return bytes.endIndex - (end - 1) == length ? bytes : bytes[..<(end - 1)]
    }
}

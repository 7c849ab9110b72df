/// A file that a prompt names.
struct FilePart: Equatable, Sendable {
    let mime: String
    let name: String?
    let url: String

    /// How the file stands in the user's message.
    var line: String { "[file mime=\(mime) name=\(name ?? "unknown") url=\(url)]" }

    /// The file's name for a reader; a data URL names nothing.
    var title: String { name ?? (url.hasPrefix("data:") ? "unnamed" : url) }
}

/// What the model is shown of a file.
struct FileText: Equatable, Sendable {
    let text: String
    /// Why the content is missing or cut; nil when all of it is there.
    let flaw: String?
}

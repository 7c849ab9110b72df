/// Names of tools as models and callers spell them.
enum ToolName {
    private static let prefixes = [
        "default_api:", "default_api.", "functions.", "function.", "tools.", "tool.", "builtin:", "builtin.",
    ]

    private static let aliases = [
        "todowrite": BuiltInTool.todos.rawValue, "update_todo_list": BuiltInTool.todos.rawValue,
        "update_todos": BuiltInTool.todos.rawValue,
    ]

    /// One spelling for all of a name: names are compared in it.
    static func canonical(_ name: String) -> String {
        var plain = String(name.drop(while: \.isWhitespace).lowercased().map { $0 == "-" ? "_" : $0 })
        while plain.last?.isWhitespace == true { plain.removeLast() }
        if let prefix = prefixes.first(where: { plain.hasPrefix($0) && plain.count > $0.count }) {
            plain.removeFirst(prefix.count)
        }
        return aliases[plain] ?? plain
    }

    /// Whether an entry of an allowlist means the tool: its name, or a beginning and `*`.
    static func entry(_ entry: String, means name: String) -> Bool {
        let pattern = canonical(entry)
        guard pattern.hasSuffix("*") else { return pattern == canonical(name) }
        return canonical(name).hasPrefix(pattern.dropLast())
    }

    /// Whether a rule's pattern, with `*` anywhere, means the tool.
    static func pattern(_ pattern: String, matches name: String) -> Bool {
        let parts = canonical(pattern).split(separator: "*", omittingEmptySubsequences: false)
        let name = canonical(name)
        guard let first = parts.first, let last = parts.last, parts.count > 1 else { return canonical(pattern) == name }
        guard name.hasPrefix(first) else { return false }
        var rest = name.dropFirst(first.count)
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            while !rest.hasPrefix(part) {
                if rest.isEmpty { return false }
                rest.removeFirst()
            }
            rest.removeFirst(part.count)
        }
        return rest.hasSuffix(last)
    }
}

/// Names of tools as model servers take them: letters, digits, `_` and `-`, at most 64, each name once.
package struct ToolAliases: Sendable {
    private var aliases: [String: String] = [:]
    private var names: [String: String] = [:]

    package init(_ tools: [ModelTool]) {
        for tool in tools where aliases[tool.name] == nil {
            let plain = ToolAliases.plain(tool.name)
            var alias = plain
            var count = 1
            while names[alias] != nil {
                count += 1
                let end = "_\(count)"
                alias = plain.prefix(ToolAliases.limit - end.utf8.count) + end
            }
            aliases[tool.name] = alias
            names[alias] = tool.name
        }
    }

    private static let limit = 64

    /// What a server is told; a tool that is not offered any more has a name all the same.
    package func alias(of name: String) -> String { aliases[name] ?? ToolAliases.plain(name) }

    /// The tool that a model means; the word as it is where it means none.
    package func name(of alias: String) -> String { names[alias] ?? alias }

    private static func plain(_ name: String) -> String {
        let letters = name.unicodeScalars.prefix(limit).map { isPlain($0) ? Character($0) : "_" }
        return letters.isEmpty ? "_" : String(letters)
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }
}

extension ModelEvent {
    /// The event with the tools' own names.
    package func naming(_ names: ToolAliases) -> ModelEvent {
        switch self {
        case .toolCallDelta(let delta):
            .toolCallDelta(
                ModelToolDelta(
                    index: delta.index,
                    id: delta.id,
                    name: names.name(of: delta.name),
                    arguments: delta.arguments
                )
            )
        case .toolCalls(let calls):
            .toolCalls(
                calls.map { ModelToolCall(id: $0.id, name: names.name(of: $0.name), arguments: $0.arguments) }
            )
        default: self
        }
    }
}

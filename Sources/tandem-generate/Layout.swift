/// The canonical layout: an operation's keys and its arguments one a line, a named entry of another file one a line.
enum Layout {
    static func text(of file: ContractFile) -> String {
        let body =
            if file.isOperations {
                object(Schema.file.sorted(file.value.members), 2, operationsMember)
            } else if ["contract/events.json", "contract/python.json"].contains(file.path) {
                object(file.value.members, 2) {
                    "\($0.key): " + ($0.value.isScalar ? $0.value.spaced : lines($0.value, 4))
                }
            } else {
                lines(file.value, 2)
            }
        return body + "\n"
    }

    private static func indent(_ width: Int) -> String { String(repeating: " ", count: width) }

    private static func block(_ items: [String], _ width: Int, _ brackets: (String, String)) -> String {
        guard !items.isEmpty else { return brackets.0 + brackets.1 }
        let body = items.map { indent(width) + $0 }.joined(separator: ",\n")
        return "\(brackets.0)\n\(body)\n\(indent(width - 2))\(brackets.1)"
    }

    private static func object(
        _ members: [Value.Member],
        _ width: Int,
        _ line: ((key: String, value: Value)) -> String
    ) -> String {
        block(members.map { line((Value.quoted($0.key), $0.value)) }, width, ("{", "}"))
    }

    /// One member or element a line.
    private static func lines(_ value: Value, _ width: Int) -> String {
        if case .array(let elements) = value { return block(elements.map(\.spaced), width, ("[", "]")) }
        return object(value.members, width) { "\($0.key): \($0.value.spaced)" }
    }

    private static func operationsMember(_ member: (key: String, value: Value)) -> String {
        switch member.key {
        case "\"operations\"":
            return "\(member.key): " + object(member.value.members, 4) { "\($0.key): " + operation($0.value) }
        case "\"types\"":
            return "\(member.key): " + object(member.value.members, 4) { "\($0.key): " + type($0.value) }
        default: return "\(member.key): \(member.value.spaced)"
        }
    }

    private static func operation(_ value: Value) -> String {
        object(Schema.operation.sorted(value.members), 6) { key, value in
            switch key {
            case "\"arguments\"":
                let arguments = value.elements.map { sorted($0, Schema.argument).spaced }
                return "\(key): " + block(arguments, 8, ("[", "]"))
            case "\"result\"": return "\(key): " + sorted(value, Schema.result).spaced
            case "\"stream\"": return "\(key): " + sorted(value, Schema.stream).spaced
            default: return "\(key): \(value.spaced)"
            }
        }
    }

    private static func type(_ value: Value) -> String {
        guard value.members.count == 1, let fields = value["fields"] else { return value.spaced }
        return "{\"fields\": " + block(fields.elements.map(\.spaced), 6, ("[", "]")) + "}"
    }

    private static func sorted(_ value: Value, _ schema: Schema) -> Value {
        guard case .object(let members) = value else { return value }
        return .object(schema.sorted(members))
    }
}

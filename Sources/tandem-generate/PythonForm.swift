/// How the operation is called in Python: the generated method's own signature, without types.
struct PythonForm {
    let lines: [String]

    init(_ operation: Operation, _ client: OfficialClient, _ aliases: [Alias]) {
        let method = PythonMethod(operation, .sync, client).lines
        let end = method.firstIndex { $0.contains(") -> ") } ?? 0
        let signature = method.prefix(through: end).map { $0.drop { $0 == " " } }.joined(separator: " ")
        let parameters = PythonForm.parameters(signature)
        // What the documentation has at the top of a client stands there too.
        let place =
            operation.namespace == "engine" && operation.has("documented") ? "client" : "client.\(operation.namespace)"
        let name = PythonText.identifier(operation.name)
        let result = signature.firstRange(of: ") -> ").map { signature[$0.upperBound...].dropLast() } ?? ""
        let call = wrapped("\(place).\(name)(\(parameters.joined(separator: ", "))) -> \(result)", 104)
        let others = aliases.map { "        \(place).\($0.name)" }
        lines = call.enumerated().map { ($0 == 0 ? "Python  " : "            ") + $1 } + others
    }

    /// `name` of each required parameter, `name=default` of the others.
    private static func parameters(_ signature: String) -> [String] {
        guard let start = signature.firstIndex(of: "("), let end = signature.firstRange(of: ") -> ") else { return [] }
        return split(signature[signature.index(after: start)..<end.lowerBound]).compactMap { piece in
            let text = piece.trimmed
            guard text != "self", !text.isEmpty, !text.hasPrefix("**") else { return nil }
            let name = String(text.prefix { $0 != ":" && $0 != "=" }).trimmed
            guard let equals = text.firstRange(of: " = ") else { return name }
            return name + "=" + text[equals.upperBound...]
        }
    }

    /// At the commas that stand in no brackets.
    private static func split(_ text: Substring) -> [String] {
        var depth = 0
        var pieces = [""]
        for character in text {
            switch character {
            case "[", "(": depth += 1
            case "]", ")": depth -= 1
            case "," where depth == 0:
                pieces.append("")
                continue
            default: break
            }
            pieces[pieces.count - 1].append(character)
        }
        return pieces
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

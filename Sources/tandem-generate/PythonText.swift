// Types, names and values as Python writes them.
enum PythonText {
    /// A type of the contract: of what comes back (`List`, `Record`), or of what is given (`Sequence`, `Mapping`).
    static func type(_ name: String, isResult: Bool) -> String {
        if let inner = name.inside("array<") {
            return "\(isResult ? "List" : "Sequence")[\(type(inner, isResult: isResult))]"
        }
        if let inner = name.inside("map<") {
            return "\(isResult ? "Dict" : "Mapping")[str, \(type(inner, isResult: isResult))]"
        }
        switch name {
        case "string": return "str"
        case "integer": return "int"
        case "number": return "float"
        case "boolean": return "bool"
        case "any": return "Any"
        case "null": return "None"
        default: return isResult ? "Record" : "Mapping[str, Any]"
        }
    }

    /// A type of the official client; its models are classes of ours.
    static func model(_ name: String) -> String {
        if let inner = name.inside("array<") { return "List[\(model(inner))]" }
        if let inner = name.inside("map<") { return "Dict[str, \(model(inner))]" }
        return name.first?.isUppercase == true ? name : type(name, isResult: true)
    }

    /// The name inside `array<...>` and `map<...>`, if it is one of the official client's models.
    static func modelName(in name: String) -> String? {
        innermost(name).flatMap { $0.first?.isUppercase == true ? $0 : nil }
    }

    /// The name inside `array<...>` and `map<...>`, if it is no plain type.
    static func innermost(_ name: String) -> String? {
        if let inner = name.inside("array<") ?? name.inside("map<") { return innermost(inner) }
        let plain = ["string", "integer", "number", "boolean", "object", "any", "null"]
        return plain.contains(name) ? nil : name
    }

    static func value(_ value: Value) -> String {
        switch value {
        case .object(let members):
            "{" + members.map { "\(string($0.key)): \(self.value($0.value))" }.joined(separator: ", ") + "}"
        case .array(let elements): "[" + elements.map(self.value).joined(separator: ", ") + "]"
        case .string(let text): string(text)
        case .number(let digits): digits
        case .boolean(let flag): flag ? "True" : "False"
        case .null: "None"
        }
    }

    /// JSON's form of a text is Python's too.
    static func string(_ text: String) -> String { Value.quoted(text) }

    /// `(a)` is no tuple.
    static func tuple(_ texts: [String]) -> String {
        "(" + texts.map(string).joined(separator: ", ") + (texts.count == 1 ? ",)" : ")")
    }

    static func identifier(_ name: String) -> String {
        let taken = """
            and as assert async await class def del except for from global if import in is lambda not or pass raise
            return try with yield self
            """
        let words = taken.split { $0 == " " || $0 == "\n" }.map(String.init)
        return words.contains(name) ? name + "_" : name
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            if character == "\\" || character == "\"" && text.last == "\"" { result += "\\" }
            result.append(character)
        }
        return result.replacing("\"\"\"", with: "\\\"\\\"\\\"")
    }
}

extension String {
    /// What stands between `opening` and the closing bracket, if the text begins so.
    fileprivate func inside(_ opening: String) -> String? {
        hasPrefix(opening) && hasSuffix(">") ? String(dropFirst(opening.count).dropLast()) : nil
    }
}

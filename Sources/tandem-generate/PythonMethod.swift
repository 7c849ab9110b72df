/// One operation as a method of a Python class.
struct PythonMethod {
    private let operation: Operation
    private let flavor: PythonOutput.Flavor
    private let arguments: [Argument]
    /// The parameter for a whole body that is the caller's own object, if the operation has such a body.
    private let payload: String?
    /// A whole body may hold what is required, so that nothing beside it is.
    private let hasWholeBody: Bool

    init(_ operation: Operation, _ flavor: PythonOutput.Flavor) {
        self.operation = operation
        self.flavor = flavor
        var seen: Set<String> = []
        let listed = HeaderOutput.listedArguments(operation).filter {
            !$0.name.hasPrefix("$") && seen.insert($0.name).inserted
        }
        let isNamed = listed.contains { $0.adapt == "whole_body" }
        let takesBody = operation.body.kind == "payload" && !isNamed
        payload = takesBody ? (seen.contains("payload") ? "body" : "payload") : nil
        hasWholeBody = takesBody || isNamed
        let isAlone = !hasWholeBody
        let isFirst: (Argument) -> Bool = { $0.place == .path || $0.adapt == "whole_body" }
        let isNext: (Argument) -> Bool = { isAlone && $0.isRequired && $0.form == nil && !isFirst($0) }
        let rest = listed.filter { !isFirst($0) && !isNext($0) }
        // What the engine takes and ignores stands behind what a caller may mean by position.
        let isIgnored: (Argument) -> Bool = { $0.name.hasPrefix("_") }
        arguments =
            listed.filter(isFirst) + listed.filter(isNext) + rest.filter { !isIgnored($0) } + rest.filter(isIgnored)
    }

    var lines: [String] {
        let keyword = flavor == .async && !isStream ? "async def" : "def"
        let head = "    \(keyword) \(Self.identifier(operation.name))("
        let parameters = ["self"] + self.parameters + ["**options: Any"]
        let single = head + parameters.joined(separator: ", ") + ") -> \(result):"
        let signature =
            single.count <= 120 ? [single] : [head] + parameters.map { "        \($0)," } + ["    ) -> \(result):"]
        return signature + documentation + call
    }

    private var isStream: Bool { operation.response == "sse" || operation.response == "json_lines" }

    private var parameters: [String] {
        let count = arguments.prefix { $0.place == .path }.count
        var list = arguments.map { argument in
            let name = Self.identifier(argument.name)
            let isRequired = argument.place == .path || (!hasWholeBody && argument.isRequired && argument.form == nil)
            return isRequired
                ? "\(name): \(Self.type(of: argument))" : "\(name): \(Self.type(of: argument)) | None = None"
        }
        if let payload { list.insert("\(payload): Any = None", at: count) }
        return list.map { $0.replacing("Any | None = None", with: "Any = None") }
    }

    private var call: [String] {
        let outer = payload == nil ? arguments : arguments.filter { $0.place != .body }
        var values = ["\"\(operation.fullName)\"", dictionary(outer), "options"]
        let pick = isStream ? nil : self.pick
        if let pick { values.append("pick=\(pick)") }
        if let payload {
            values.append("payload=\(payload)")
            values.append("fields=\(dictionary(arguments.filter { $0.place == .body }))")
        }
        let wait = isStream || flavor == .sync ? "" : "await "
        let verb = (pick == "None" ? "" : "return ") + wait + "self._core." + (isStream ? "stream" : "call")
        let single = "        \(verb)(\(values.joined(separator: ", ")))"
        return single.count <= 120
            ? [single] : ["        \(verb)("] + values.map { "            \($0)," } + ["        )"]
    }

    private func dictionary(_ arguments: [Argument]) -> String {
        let pairs = arguments.map { "\"\($0.name)\": \(Self.identifier($0.name))" }
        let single = "{\(pairs.joined(separator: ", "))}"
        return single.count <= 90 ? single : "{\n" + pairs.map { "                \($0),\n" }.joined() + "            }"
    }

    /// What Python returns of the result, as the engine's own Python client does; nil: all of it.
    private var pick: String? {
        guard let python = operation.entry["result"]?["python"] else { return nil }
        guard let key = python.string else { return "None" }
        return key == "$body" ? nil : "\"\(key)\""
    }

    private var result: String {
        if isStream { return flavor == .sync ? "Stream" : "AsyncStream" }
        let rule = operation.entry["result"]
        switch (pick, operation.response) {
        case ("None", _): return "None"
        case ("\"id\"", _), ("\"text\"", _), (nil, "text"): return "str"
        case (.some, _): return "List[Record]"
        case (nil, "binary"): return "Any"
        default: return Self.type(rule?["type"]?.string ?? "object", isResult: true)
        }
    }

    private static func type(of argument: Argument) -> String {
        guard let adapt = argument.adapt, !["resource_key", "without_nulls"].contains(adapt) else {
            return type(argument.type, isResult: false)
        }
        let plain = type(argument.type, isResult: false)
        switch adapt {
        case "approve_or_reject", "text_content", "whole_body": return "Any"
        case "comma_list": return "str | Sequence[str]"
        default: return plain == "str" || plain == "Any" ? plain : "str | " + plain
        }
    }

    private static func type(_ name: String, isResult: Bool) -> String {
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

    static func identifier(_ name: String) -> String {
        let taken = """
            and as assert async await class def del except for from global if import in is lambda not or pass raise
            return try with yield self options
            """
        let words = taken.split { $0 == " " || $0 == "\n" }.map(String.init)
        return words.contains(name) ? name + "_" : name
    }
}

extension PythonMethod {
    private var documentation: [String] {
        var paragraphs = [[Self.escaped(operation.summary)]]
        if let details = operation.details { paragraphs.append(wrapped(Self.escaped(details), 110)) }
        let notes = arguments.compactMap(Self.note)
        if !notes.isEmpty { paragraphs.append(notes.flatMap { $0 }) }
        guard paragraphs.count > 1 else { return ["        \"\"\"\(paragraphs[0][0])\"\"\""] }
        let text = paragraphs.joined(separator: [""]).map { $0.isEmpty ? "" : "        " + $0 }
        return ["        \"\"\"" + text[0].dropFirst(8)] + text.dropFirst() + ["        \"\"\""]
    }

    /// What is worth knowing of an argument beyond its name and type.
    private static func note(_ argument: Argument) -> [String]? {
        var words: [String] = []
        if let summary = argument.summary { words.append(summary) }
        if !argument.values.isEmpty { words.append("One of " + argument.values.joined(separator: ", ") + ".") }
        if let value = argument.defaultValue { words.append("Default \(value.compact).") }
        guard !words.isEmpty else { return nil }
        let lines = wrapped(identifier(argument.name) + ": " + escaped(words.joined(separator: " ")), 106)
        return lines.enumerated().map { $0 == 0 ? $1 : "    " + $1 }
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

/// One operation as a method of a Python class.
struct PythonMethod {
    private let operation: Operation
    private let flavor: PythonOutput.Flavor
    private let official: OfficialClient.Method?
    private let parameters: PythonParameters

    init(_ operation: Operation, _ flavor: PythonOutput.Flavor, _ client: OfficialClient) {
        self.operation = operation
        self.flavor = flavor
        official = client.method(operation)
        parameters = PythonParameters(operation, official)
    }

    var lines: [String] {
        if operation.recipe == "run" { return PythonRunMethod(operation, flavor, paragraphs).lines }
        let keyword = flavor == .async && !isStream ? "async def" : "def"
        return Self.definition("\(keyword) \(PythonText.identifier(operation.name))", declarations, result)
            + documentation + call
    }

    /// The model that its signature names.
    var modelName: String? { returns.flatMap(PythonText.modelName) }

    private var isStream: Bool { operation.response == "sse" || operation.response == "json_lines" }

    private var declarations: [String] {
        let places = parameters.list.filter { !$0.isKeyword }.map(\.declaration)
        let keywords = parameters.list.filter(\.isKeyword).map(\.declaration)
        return ["self"] + places + (keywords.isEmpty ? [] : ["*"]) + keywords + ["**\(parameters.rest): Any"]
    }

    static func definition(_ head: String, _ parameters: [String], _ result: String) -> [String] {
        let single = "    \(head)(\(parameters.joined(separator: ", "))) -> \(result):"
        return single.count <= 120
            ? [single] : ["    \(head)("] + parameters.map { "        \($0)," } + ["    ) -> \(result):"]
    }

    private var call: [String] {
        let isBody: ((PythonParameter, Argument)) -> Bool = { $0.1.place == .body && $0.1.adapt != "whole_body" }
        let isSplit = parameters.payload != nil || body != nil
        let outer = isSplit ? parameters.arguments.filter { !isBody($0) } : parameters.arguments
        var values = ["\"\(operation.fullName)\"", dictionary(outer), parameters.rest]
        if let pick { values.append("pick=\(pick)") }
        if let payload = parameters.payload { values.append("payload=\(payload)") }
        if isSplit { values.append("fields=\(dictionary(parameters.arguments.filter(isBody)))") }
        if let body { values.append("body=\"\(body)\"") }
        if isStream, official != nil { values.append("both=True") }
        if let returns, modelName != nil { values.append("returns=\(PythonText.string(returns))") }
        let wait = isStream || flavor == .sync ? "" : "await "
        let verb = (pick == "None" ? "" : "return ") + wait + "self._core." + (isStream ? "stream" : "call")
        let single = "        \(verb)(\(values.joined(separator: ", ")))"
        return single.count <= 120
            ? [single] : ["        \(verb)("] + values.map { "            \($0)," } + ["        )"]
    }

    /// "open": keywords that are no options go into the body, whatever they are; "empty": without members it is sent too.
    private var body: String? {
        guard let official else { return nil }
        if official.parameters.contains(where: \.isRest) { return "open" }
        return official.sendsEmptyBody && !operation.has("body_required") ? "empty" : nil
    }

    private func dictionary(_ arguments: [(PythonParameter, Argument)]) -> String {
        let pairs = arguments.map { $0.0.pair($0.1) }
        let single = "{\(pairs.joined(separator: ", "))}"
        return single.count <= 90 ? single : "{\n" + pairs.map { "                \($0),\n" }.joined() + "            }"
    }

    /// What Python returns of the result, as the engine's own Python client does; nil: all of it.
    private var pick: String? {
        guard !isStream, let python = operation.entry["result"]?["python"] else { return nil }
        guard let key = python.string else { return "None" }
        return key == "$body" ? nil : "\"\(key)\""
    }

    /// The official type of what it returns.
    private var returns: String? {
        guard !isStream, pick != "None", let returns = official?.returns, returns != "null" else { return nil }
        return returns
    }

    private var result: String {
        if isStream { return flavor == .sync ? "Stream" : "AsyncStream" }
        if let returns { return PythonText.model(returns) }
        let rule = operation.entry["result"]
        switch (pick, operation.response) {
        case ("None", _): return "None"
        case ("\"id\"", _), ("\"text\"", _), (nil, "text"): return "str"
        case (.some, _): return "List[Record]"
        case (nil, "binary"): return "Any"
        default: return PythonText.type(rule?["type"]?.string ?? "object", isResult: true)
        }
    }
}

extension PythonMethod {
    private var documentation: [String] { Self.docstring(paragraphs) }

    private var paragraphs: [[String]] {
        var paragraphs = [[PythonText.escaped(operation.summary)]]
        if let details = operation.details { paragraphs.append(wrapped(PythonText.escaped(details), 110)) }
        let notes = parameters.arguments.compactMap { Self.note($0.0.name, $0.1) }
        if !notes.isEmpty { paragraphs.append(notes.flatMap { $0 }) }
        return paragraphs
    }

    static func docstring(_ paragraphs: [[String]]) -> [String] {
        guard paragraphs.count > 1 else { return ["        \"\"\"\(paragraphs[0][0])\"\"\""] }
        let text = paragraphs.joined(separator: [""]).map { $0.isEmpty ? "" : "        " + $0 }
        return ["        \"\"\"" + text[0].dropFirst(8)] + text.dropFirst() + ["        \"\"\""]
    }

    /// What is worth knowing of an argument beyond its name and type.
    private static func note(_ name: String, _ argument: Argument) -> [String]? {
        var words: [String] = []
        if let summary = argument.summary { words.append(summary) }
        if !argument.values.isEmpty { words.append("One of " + argument.values.joined(separator: ", ") + ".") }
        if let value = argument.defaultValue { words.append("Default \(value.compact).") }
        guard !words.isEmpty else { return nil }
        let lines = wrapped(name + ": " + PythonText.escaped(words.joined(separator: " ")), 106)
        return lines.enumerated().map { $0 == 0 ? $1 : "    " + $1 }
    }

    /// The method that reads all pages, one item after the other.
    func iterator(_ pages: OfficialClient.Pages) -> [String] {
        let (isAsync, yields) = (flavor == .async, PythonText.model(pages.text("yields")))
        let list = parameters.list.filter { $0.name != pages.text("argument") && $0.name != "tail" }
        let places = list.filter { !$0.isKeyword }
        let keywords = list.filter(\.isKeyword)
        let declared =
            ["self"] + places.map(\.declaration) + (keywords.isEmpty ? [] : ["*"]) + keywords.map(\.declaration)
        let name = PythonText.identifier(operation.name)
        let given = list.map { "\"\($0.name)\": \($0.name)" }.joined(separator: ", ")
        let rule = ["by", "argument", "size", "items", "next"].map { PythonText.string(pages.text($0)) }
        return Self.definition(
            "def \(pages.name)",
            declared + ["**\(parameters.rest): Any"],
            "\(isAsync ? "AsyncIterator" : "Iterator")[\(yields)]"
        )
            + Self.docstring([
                ["All of what \(name) gives, one after the other, read page by page."],
                ["\(pages.text("size")): how many are read at once; 100 if not given."],
            ]) + [
                "        rule = Paging(\(rule.joined(separator: ", ")))",
                "        return \(isAsync ? "walk_async" : "walk")(self.\(name), rule, {\(given)}, \(parameters.rest))",
            ]
    }
}

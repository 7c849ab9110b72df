/// `docs/operations.md`: each operation for people.
enum DocumentationOutput {
    static func make(_ contract: Contract) -> Output {
        var lines = [
            "<!-- \(Output.mark) -->",
            "# Operations",
            "",
            "Every operation is called as `tandem_call(client, \"namespace.operation\", arguments)` or by its own function; both take",
            "the arguments as one JSON object and give the same reply. *embedded* is the engine inside the library, *remote* an engine",
            "over HTTP; what an engine cannot do yet answers `not_supported`.",
            "",
        ]
        for namespace in contract.namespaces {
            let count = contract.operations(in: namespace.name).count
            lines.append("- [\(namespace.name)](#\(namespace.name)) (\(count)): \(namespace.summary)")
        }
        for namespace in contract.namespaces {
            lines += ["", "## \(namespace.name)", "", namespace.summary]
            for operation in contract.operations(in: namespace.name) { lines += describe(operation) }
        }
        return Output(path: "docs/operations.md", text: lines.joined(separator: "\n") + "\n")
    }

    private static func describe(_ operation: Operation) -> [String] {
        var lines = ["", "### \(operation.fullName)", "", escaped(operation.summary), ""]
        lines.append("- C: `\(operation.function)(client, args_json)`")
        if let request = operation.entry["request"]?.string { lines.append("- Request: `\(request)`") }
        if let paths = operation.entry["paths"]?.strings, !paths.isEmpty {
            lines.append("- Older paths: " + paths.map { "`\($0)`" }.joined(separator: ", "))
        }
        if let body = body(operation) { lines.append("- Body: " + body) }
        lines.append("- Result: " + result(operation))
        if let stream = operation.entry["stream"] { lines.append("- Stream: " + describe(stream)) }
        if !operation.errors.isEmpty {
            lines.append("- Errors: " + operation.errors.map { "`\($0)`" }.joined(separator: ", "))
        }
        let embedded = operation.has("embedded") ? "yes" : "not yet"
        let remote = operation.entry["request"]?.string == nil ? "not yet" : "yes"
        lines.append("- embedded: \(embedded); remote: \(remote)" + edition(operation))
        if let details = operation.details { lines += ["", escaped(details)] }
        return lines + table(HeaderOutput.listedArguments(operation))
    }

    private static func edition(_ operation: Operation) -> String {
        (operation.isEnterprise ? "; only in the engine's enterprise edition" : "")
            + (operation.has("gone") ? "; the engine no longer has it" : "")
    }

    private static func body(_ operation: Operation) -> String? {
        switch operation.body {
        case ("payload", _): "the arguments as they are given"
        case ("wrapped", let key?): "the arguments under `\(key)`"
        default: nil
        }
    }

    private static func result(_ operation: Operation) -> String {
        let rule = operation.entry["result"]
        var parts: [String] = []
        switch operation.response {
        case "sse": parts.append("a stream of events")
        case "json_lines": parts.append("a stream of JSON lines")
        case "text": parts.append("a text")
        case "binary": parts.append("bytes")
        default: parts.append(rule?["type"]?.string.map { "`\($0)`" } ?? "an object")
        }
        if let take = rule?["take"]?.string { parts.append("`\(take)` of the reply") }
        if let list = rule?["list"]?.string { parts.append("a list under `\(list)` with `count`") }
        if let names = rule?["names"]?.members, !names.isEmpty {
            let added = names.map { "`\($0.key)`" }.joined(separator: ", ")
            parts.append("added\(rule?["each"] == nil ? "" : " to each item"): \(added)")
        }
        return parts.joined(separator: "; ")
    }

    private static func describe(_ stream: Value) -> String {
        let carries = (stream["carries"]?.strings ?? []).map { "`\($0)`" }.joined(separator: ", ")
        let end = stream["ends"]?.string == "run" ? "ends with the run" : "goes on until it is cancelled"
        let loss =
            switch stream["resumes"]?.string {
            case "log": "what is lost is read from the run's log"
            case "cursor": "goes on after a break where it was"
            default: "what is lost in a break stays lost"
            }
        return "\(carries); \(end); \(loss)"
    }

    private static func table(_ arguments: [Argument]) -> [String] {
        guard !arguments.isEmpty else { return [] }
        let rows = arguments.map { argument in
            let type = escaped("`\(argument.type)`")
            return "| `\(argument.name)` | \(type) | \(argument.isRequired ? "yes" : "") | \(notes(argument)) |"
        }
        return ["", "| argument | type | required | |", "| --- | --- | --- | --- |"] + rows
    }

    private static func notes(_ argument: Argument) -> String {
        var notes: [String] = []
        if let summary = argument.summary { notes.append(summary) }
        if !argument.values.isEmpty {
            notes.append("One of " + argument.values.map { "`\($0)`" }.joined(separator: ", ") + ".")
        }
        if let value = argument.defaultValue { notes.append("Default `\(value.compact)`.") }
        if let form = argument.form { notes.append("Of the form `\(form)`.") }
        if !argument.accepts.isEmpty {
            notes.append("Also " + argument.accepts.map { "`\($0)`" }.joined(separator: ", ") + ".")
        }
        return escaped(notes.joined(separator: " "))
    }

    /// Keeps a text from ending its table cell, or from being read as HTML outside of code.
    private static func escaped(_ text: String) -> String {
        var isCode = false
        return text.reduce(into: "") { result, character in
            if character == "`" { isCode.toggle() }
            switch character {
            case "|": result += "\\|"
            case "<" where !isCode: result += "&lt;"
            case "*" where !isCode: result += "\\*"
            default: result.append(character)
            }
        }
    }
}

/// What a page says of one operation.
struct OperationSection {
    let operation: Operation
    let failures: FailureNames
    let client: OfficialClient
    let aliases: [Alias]
    /// The documentation or a client of the engine says something else of it.
    let hasRows: Bool

    private static let types = "../types.md"

    var lines: [String] {
        var lines = ["", "## \(operation.fullName)", "", Markdown.escaped(operation.summary)]
        if let details = operation.details { lines += ["", Markdown.escaped(details)] }
        lines += ["", "```"] + forms + ["```", ""]
        lines += ["- Result: " + result]
        if let body { lines.append("- Body: " + body) }
        if let stream = operation.entry["stream"] { lines.append("- Stream: " + Self.describe(stream)) }
        if !operation.errors.isEmpty {
            lines.append("- Errors: " + operation.errors.map(error).joined(separator: ", "))
        }
        lines.append("- Engines: " + engines)
        if operation.retry != "never", operation.method != "GET" {
            lines.append(
                "- Sent again after a failure of the connection"
                    + (operation.retry == "keyed" ? ", with the same idempotency key" : "")
            )
        }
        if let recipe = operation.recipe {
            lines.append("- Carried out by " + CompatibilityOutput.recipe(recipe, from: "../compatibility.md"))
        }
        if hasRows {
            let target = "../compatibility.md" + Markdown.anchor(operation.namespace)
            lines.append("- The documentation differs: " + Markdown.link("compatibility", target))
        }
        return lines + table
    }

    private var forms: [String] {
        var forms = ["C       \(operation.function)(client, args_json)"]
        forms += PythonForm(operation, client, aliases).lines
        // Who makes another operation's request has no route of its own any more.
        guard operation.recipe?.contains(".") != true else { return forms }
        if let request = operation.entry["request"]?.string { forms.append("HTTP    \(request)") }
        return forms + (operation.entry["paths"]?.strings ?? []).map { "        \(operation.method ?? "") \($0)" }
    }

    private var body: String? {
        switch operation.body {
        case ("payload", _): "the keys that are given, also those that this page does not know"
        case ("wrapped", let key?): "the keys that are given, under `\(key)`"
        default: nil
        }
    }

    private var engines: String {
        let isInside = operation.has("embedded")
        let inside = isInside ? "embedded: yes" : "embedded: no"
        // Without a request of its own an operation is made of others, on every engine or on none.
        let remote = operation.entry["request"]?.string != nil || isInside ? "remote: yes" : "remote: no"
        if operation.has("gone") { return inside + ", remote: no, the engine no longer has it" }
        return inside + ", " + (operation.isEnterprise ? "remote: enterprise edition" : remote)
    }

    private func error(_ code: String) -> String {
        let names = failures[code]
        return Markdown.code(code) + (names.isEmpty ? "" : " (\(Markdown.codes(names)))")
    }

    private var table: [String] {
        let rows = HeaderOutput.listedArguments(operation).map { argument in
            [
                Markdown.code(argument.name), Markdown.type(argument.type, page: Self.types),
                argument.isRequired ? "yes" : "",
                [Self.notes(argument), Self.translation(argument)].filter { !$0.isEmpty }.joined(separator: " "),
            ]
        }
        return [""]
            + (rows.isEmpty
                ? [body == nil ? "No arguments." : "No arguments but the body's."]
                : Markdown.table(["argument", "type", "required", ""], rows))
    }

    private static func translation(_ argument: Argument) -> String {
        guard let adapt = argument.adapt else { return "" }
        return "Translated by " + Markdown.link(adapt, "../compatibility.md" + Markdown.anchor("adapt \(adapt)")) + "."
    }

    static func notes(_ argument: Argument) -> String {
        var notes: [String] = []
        if let summary = argument.summary { notes.append(summary) }
        if argument.summary == nil, ["integer", "number"].contains(argument.type),
            let unit = Markdown.unit(of: argument.name)
        {
            notes.append(unit)
        }
        if !argument.values.isEmpty { notes.append("One of \(Markdown.codes(argument.values)).") }
        if let value = argument.defaultValue { notes.append("Default `\(value.compact)`.") }
        if let form = argument.form { notes.append("Of the form `\(form)`.") }
        if !argument.accepts.isEmpty { notes.append("Also \(Markdown.codes(argument.accepts)).") }
        return Markdown.escaped(notes.joined(separator: " "))
    }
}

// The result and the stream.
extension OperationSection {
    private var result: String {
        let rule = operation.entry["result"]
        var parts = [kind(rule)]
        if let take = rule?["take"]?.string { parts.append("`\(take)` of the engine's reply") }
        if let names = rule?["names"]?.members, !names.isEmpty {
            let added = names.map { "`\($0.key)` (\(Self.source($0.value)))" }.joined(separator: ", ")
            parts.append((rule?["each"]?.string.map { "added to each of `\($0)`: " } ?? "added: ") + added)
        }
        switch rule?["python"] {
        case .null: parts.append("Python returns nothing")
        case .string(let key) where key != "$body": parts.append("Python returns its `\(key)`")
        default: break
        }
        return parts.joined(separator: "; ")
    }

    private func kind(_ rule: Value?) -> String {
        if operation.recipe == "prompt_sync" { return "`{\"text\", \"messages\"}`" }
        switch operation.response {
        case "sse", "json_lines": return "a stream of events"
        case "text": return "a text"
        case "binary": return "bytes"
        default: break
        }
        if let list = rule?["list"]?.string { return "`{\"\(list)\": […], \"count\"}`" }
        return rule?["type"]?.string.map { Markdown.type($0, page: Self.types) } ?? "an object"
    }

    private static func source(_ value: Value) -> String {
        guard let paths = value.string else { return Markdown.code(value.compact) }
        return paths.split(separator: "|").map { Markdown.code(String($0)) }.joined(separator: " or ")
    }

    private static func describe(_ stream: Value) -> String {
        let carries = Markdown.codes(stream["carries"]?.strings ?? [])
        let end = stream["ends"]?.string == "run" ? "ends with the run" : "goes on until it is cancelled"
        let loss =
            switch stream["resumes"]?.string {
            case "log": "what is lost is read from the run's log"
            case "cursor": "goes on after a break where it was"
            default: "what is lost in a break stays lost"
            }
        return [carries, end, loss].filter { !$0.isEmpty }.joined(separator: "; ")
    }
}

/// `docs/compatibility.md`: where the documentation, a client of the engine and the engine itself differ, and what this
/// library does.
enum CompatibilityOutput {
    static func make(_ contract: Contract) -> Output {
        let rows = CompatibilityRow.all(contract)
        var lines = ["# Compatibility"] + introduction(rows.count)
        lines += ["", "## Namespaces", ""]
        let named = contract.namespaces.filter { namespace in rows.contains { $0.namespace == namespace.name } }
        lines.append(named.map { Markdown.link($0.name, Markdown.anchor($0.name)) }.joined(separator: " · "))
        for namespace in named {
            lines += ["", "## \(namespace.name)", ""]
            lines += Markdown.table(
                ["operation", "documented", "the engine", "this library", "where"],
                rows.filter { $0.namespace == namespace.name }.map { row in
                    [
                        link(row), Markdown.escaped(row.documented), Markdown.escaped(row.engine),
                        marked(row.ours, contract), sources[row.source] ?? row.source,
                    ]
                }
            )
        }
        lines += words("adapts", "Adapts", "Each changes one argument, before the request is made.", contract)
        lines += words(
            "recipes",
            "Recipes",
            "Each is a way to answer an operation otherwise than by one plain request.",
            contract
        )
        return Markdown.page("docs/compatibility.md", lines)
    }

    private static func introduction(_ count: Int) -> [String] {
        [
            "",
            "The product's documentation, its clients and the running engine do not always agree. \(count) rows say where: what is",
            "documented, what tandem-engine 0.7.2 takes or gives, and what this library does. What is documented works where that can",
            "be had, and the engine's own form works always. *Where* is the documentation page, the Python or TypeScript client, or",
            "the engine as it was recorded.",
            "",
            "How the library bridges a difference:",
            "",
            "- An **adapt** changes the value of one argument into what the engine takes: `\"schedule\": \"0 8 * * *\"` becomes",
            "  `{\"cron\": {\"expression\": \"0 8 * * *\"}}`. What is already in the engine's form stays. [Each adapt](#adapts) is below.",
            "- A **recipe** answers an operation otherwise than by one plain request, such as a prompt with the configured default",
            "  model, or a question that is answered by another route. [Each recipe](#recipes) is below.",
            "- A **wire name** or **accepts** is a second spelling of an argument; both are taken and the engine's is sent.",
            "- **Result rules** unwrap the reply (`take`), give an array a name and a count (`list`), and put the documented name of a",
            "  member beside the engine's (`names`); a `take` alone gives a part of the reply, else nothing is removed. `python` is what",
            "  the Python method returns of it.",
            "- **acts_for_owner** says with each request that changes something that it is made for the engine's owner",
            "  (`X-Tandem-Request-Source: control_panel`); the option `act_as` says otherwise.",
            "- An **alias** is a second name of a method in the Python package; in C the operation has the one name.",
            "",
            "With the option **`strict`** (`\"strict\": true` for a client, `\"$strict\": true` for a call) adapts and recipes do not run:",
            "what is given is sent, and the engine judges it. Names of arguments, result rules and the owner's header stay, but inside a",
            "body that is the caller's own object no name is changed; a prompt may still be a text, and `ok: false` is always an error.",
        ]
    }

    private static let sources = [
        "documentation": "documentation", "python": "Python", "typescript": "TypeScript", "engine": "engine",
    ]

    private static func link(_ row: CompatibilityRow) -> String {
        let page = OperationPageOutput.path(row.namespace)
        return Markdown.link(
            Markdown.escaped(row.operation),
            row.isOfAll ? page : page + Markdown.anchor(row.operation)
        )
    }

    /// The text with links at the adapts and recipes that it names.
    private static func marked(_ text: String, _ contract: Contract) -> String {
        var lastWord = ""
        return Markdown.escaped(text).split(separator: " ", omittingEmptySubsequences: false).map { word in
            defer { lastWord = String(word) }
            let name = String(word.prefix { $0.isLetter || $0 == "_" })
            guard ["adapt", "recipe"].contains(lastWord), contract.file(lastWord + "s")[name] != nil else {
                return String(word)
            }
            return Markdown.link(name, Markdown.anchor("\(lastWord) \(name)")) + word.dropFirst(name.count)
        }.joined(separator: " ")
    }

    private static func words(_ file: String, _ title: String, _ summary: String, _ contract: Contract) -> [String] {
        let kind = String(file.dropLast())
        var lines = ["", "## \(title)", "", summary]
        for member in contract.file(file).members where !member.key.hasPrefix("<") {
            let users = contract.operations.filter { operation in
                kind == "recipe"
                    ? operation.recipe == member.key : operation.arguments.contains { $0.adapt == member.key }
            }
            guard !users.isEmpty else { continue }
            lines += ["", "### \(kind) \(member.key)", "", Markdown.escaped(member.value.string ?? ""), ""]
            lines.append(
                "Of "
                    + users.map {
                        Markdown.link(
                            $0.fullName,
                            OperationPageOutput.path($0.namespace) + Markdown.anchor($0.fullName)
                        )
                    }.joined(separator: ", ")
            )
        }
        return lines
    }

    /// A recipe by its words, or the operation that stands for it; `page` is this page as seen from there.
    static func recipe(_ name: String, from page: String) -> String {
        guard name.contains(".") else {
            return "recipe " + Markdown.link(name, page + Markdown.anchor("recipe \(name)"))
        }
        let namespace = String(name.prefix { $0 != "." })
        return "the request of " + Markdown.link(name, "\(namespace).md" + Markdown.anchor(name))
    }
}

/// A row of `contract/compatibility.json`.
struct CompatibilityRow {
    let operation: String
    let documented: String
    let engine: String
    let ours: String
    let source: String

    var namespace: String { String(operation.prefix { $0 != "." }) }
    var isOfAll: Bool { operation == namespace + ".*" }

    func covers(_ other: Operation) -> Bool {
        operation == other.fullName || (isOfAll && namespace == other.namespace)
    }

    static func all(_ contract: Contract) -> [CompatibilityRow] {
        contract.file("compatibility").elements.map { value in
            CompatibilityRow(
                operation: value["operation"]?.string ?? "",
                documented: value["documented"]?.string ?? "",
                engine: value["engine"]?.string ?? "",
                ours: value["ours"]?.string ?? "",
                source: value["source"]?.string ?? ""
            )
        }
    }
}

/// `docs/operations/<namespace>.md`: each operation of a namespace for people.
enum OperationPageOutput {
    static func make(_ contract: Contract) -> [Output] {
        let failures = FailureNames(contract)
        let client = OfficialClient(contract)
        let aliases = Alias.all(contract)
        let rows = CompatibilityRow.all(contract)
        return contract.namespaces.map { namespace in
            let operations = contract.operations(in: namespace.name)
            var lines = ["# \(namespace.name)", "", Markdown.escaped(namespace.summary), ""]
            lines += ["[All namespaces, and what holds for every operation](../operations.md)", ""]
            lines += Markdown.table(
                ["operation", "", "embedded"],
                operations.map { operation in
                    [
                        Markdown.link(operation.name, Markdown.anchor(operation.fullName)),
                        Markdown.escaped(operation.summary), operation.has("embedded") ? "yes" : "",
                    ]
                }
            )
            for operation in operations {
                let section = OperationSection(
                    operation: operation,
                    failures: failures,
                    client: client,
                    aliases: aliases.filter {
                        $0.namespace == operation.namespace && $0.operation == operation.name
                    },
                    hasRows: rows.contains { $0.covers(operation) }
                )
                lines += section.lines
            }
            return Markdown.page("docs/" + path(namespace.name), lines)
        }
    }

    /// Seen from `docs/`.
    static func path(_ namespace: String) -> String { "operations/\(namespace).md" }
}

/// The library's name for an engine's code, by the rules of `contract/errors.json`.
struct FailureNames {
    private let errors: [Value.Member]

    init(_ contract: Contract) { errors = contract.file("errors").members }

    /// Several where the reply beside the code decides; none where the status does.
    subscript(_ code: String) -> [String] {
        let conditional = names { $0["code"]?.string == code }
        if !conditional.isEmpty { return conditional }
        let exact = names { $0.string == code }
        if !exact.isEmpty { return exact }
        let patterns = errors.flatMap { error in
            (error.value["engine_codes"]?.elements ?? []).compactMap(\.string)
                .filter { FailureNames.matches(code, $0) }.map { (pattern: $0, name: error.key) }
        }
        return patterns.max { $0.pattern.utf8.count < $1.pattern.utf8.count }.map { [$0.name] } ?? []
    }

    private func names(where isMeant: (Value) -> Bool) -> [String] {
        errors.filter { ($0.value["engine_codes"]?.elements ?? []).contains(where: isMeant) }.map(\.key)
    }

    private static func matches(_ code: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return false }
        return code.utf8.count > pattern.utf8.count - 1 && code.hasPrefix(parts[0]) && code.hasSuffix(parts[1])
    }
}

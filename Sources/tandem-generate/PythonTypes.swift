/// `bindings/python/libtandem/types.py`: the classes of results, events and inputs that the engine's own Python client has.
enum PythonTypes {
    static func make(_ contract: Contract) -> Output {
        let client = OfficialClient(contract)
        let names = (client.models + client.unions + client.literals + client.oldNames).map(\.key).sorted()
        var lines = opening
        lines += client.literals.map { literal in
            "\(literal.key) = Literal[\(literal.value.elements.map(PythonText.value).joined(separator: ", "))]"
        }.flatMap(shortened)
        for model in ordered(client.models) { lines += type(model) }
        lines += [""]
        for union in client.unions {
            lines += shortened("\(union.key) = Union[\(union.value.strings.joined(separator: ", "))]")
        }
        lines += client.oldNames.map { "\($0.key) = \($0.value.string ?? "")" }
        lines += ["", "UNIONS: Dict[str, Tuple[Type[Model], ...]] = {"]
        for union in client.unions {
            lines += shortened("    \"\(union.key)\": (\(union.value.strings.joined(separator: ", "))),")
        }
        lines += ["}", "", "__all__ = ["] + names.map { "    \"\($0)\"," } + ["]"]
        return Output(path: "bindings/python/libtandem/types.py", text: lines.joined(separator: "\n") + "\n")
    }

    private static let opening = [
        "# \(Output.mark)",
        "\"\"\"Results, events and inputs by the names that tandem_client gives them.\"\"\"",
        "from __future__ import annotations",
        "",
        "from typing import Any, ClassVar, Dict, List, Literal, Tuple, Type, Union",
        "",
        "from ._models import Model",
        "from ._records import Record",
        "",
    ]

    /// A class after the one that it inherits from.
    private static func ordered(_ models: [Value.Member]) -> [Value.Member] {
        models.filter { $0.value["base"] == nil } + models.filter { $0.value["base"] != nil }
    }

    private static func type(_ model: Value.Member) -> [String] {
        let base = model.value["base"]?.string ?? "Model"
        let fields = model.value["fields"]?.elements ?? []
        var lines = ["", "", "class \(model.key)(\(base)):", "    __slots__ = ()"]
        lines += dictionary("_fields", fields.map { name($0, PythonText.tuple($0["accepts"]?.strings ?? [])) })
        let typed = fields.filter { PythonText.modelName(in: $0["type"]?.string ?? "") != nil }
        lines += dictionary("_models", typed.map { name($0, PythonText.string($0["type"]?.string ?? "")) })
        let fixed = fields.filter { $0["const"] != nil }
        lines += dictionary("_constants", fixed.map { name($0, PythonText.value($0["const"] ?? .null)) })
        let other = fields.filter { $0["default"] != nil }
        lines += dictionary("_defaults", other.map { name($0, PythonText.value($0["default"] ?? .null)) })
        let required = fields.filter { $0["required"]?.isTrue == true }.compactMap { $0["name"]?.string }
        if !required.isEmpty {
            lines += shortened("    _required: ClassVar[Tuple[str, ...]] = \(PythonText.tuple(required))")
        }
        if let extra = model.value["extra"]?.string { lines.append("    _extra = \"\(extra)\"") }
        // A dictionary's own method of that name returns the list; see Record.
        let members = fields.filter { $0["name"]?.string != "items" }
        return lines + members.map(annotation)
    }

    private static func name(_ field: Value, _ text: String) -> String {
        PythonText.string(field["name"]?.string ?? "") + ": " + text
    }

    private static func annotation(_ field: Value) -> String {
        let type = PythonText.model(field["type"]?.string ?? "any")
        let isThere = field["required"]?.isTrue == true || field["default"] != nil || type == "Any"
        return "    \(field["name"]?.string ?? ""): \(type)\(isThere ? "" : " | None")"
    }

    private static func dictionary(_ name: String, _ entries: [String]) -> [String] {
        guard !entries.isEmpty else { return [] }
        let single = "    \(name) = {\(entries.joined(separator: ", "))}"
        return single.count <= 120 ? [single] : ["    \(name) = {"] + entries.map { "        \($0)," } + ["    }"]
    }

    /// A line that is too long, broken inside its outermost brackets.
    private static func shortened(_ line: String) -> [String] {
        guard line.count > 120, let open = line.firstIndex(where: { "[(".contains($0) }),
            let close = line.lastIndex(where: { "])".contains($0) })
        else { return [line] }
        let indent = String(line.prefix { $0 == " " })
        let inner = line[line.index(after: open)..<close]
        return [String(line[...open])] + wrapped(inner + ",", 110 - indent.count).map { indent + "    " + $0 }
            + [indent + line[close...]]
    }
}

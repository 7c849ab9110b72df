/// `bindings/python/libtandem/_operations`: one typed method for each operation, blocking and for asyncio; a file for each
/// namespace, so that a program loads only those that it uses.
enum PythonOutput {
    enum Flavor: String, CaseIterable { case sync = "Sync", async = "Async" }

    private static let folder = "bindings/python/libtandem/_operations/"

    static func make(_ contract: Contract) -> [Output] {
        let client = OfficialClient(contract)
        let aliases = Alias.all(contract)
        let namespaces = contract.namespaces.map { namespace in
            output(namespace.name, file(namespace, contract, client, aliases))
        }
        return [output("__init__", root(contract, client))] + namespaces
    }

    private static func output(_ name: String, _ lines: [String]) -> Output {
        Output(path: folder + name + ".py", text: lines.joined(separator: "\n") + "\n")
    }

    private static func opening(_ summary: String, typing: [String]) -> [String] {
        [
            "# \(Output.mark)", "# mypy: disable-error-code=\"no-any-return\"",
            "\"\"\"\(PythonText.escaped(summary))\"\"\"", "from __future__ import annotations", "",
            "from typing import " + typing.joined(separator: ", "), "",
        ]
    }

    private static func file(
        _ namespace: Contract.Namespace,
        _ contract: Contract,
        _ client: OfficialClient,
        _ aliases: [Alias]
    ) -> [String] {
        let operations = contract.operations(in: namespace.name)
        let body = Flavor.allCases.flatMap { flavor in
            type(namespace, operations, flavor, client, aliases.filter { $0.namespace == namespace.name })
        }
        return opening(namespace.summary, typing: typing(body)) + imports(body, models(operations, client)) + body
    }

    private static func type(
        _ namespace: Contract.Namespace,
        _ operations: [Operation],
        _ flavor: Flavor,
        _ client: OfficialClient,
        _ aliases: [Alias]
    ) -> [String] {
        var lines = ["", "", "class \(className(namespace.name, flavor))(\(flavor.rawValue)Namespace):"]
        lines += ["    \"\"\"\(PythonText.escaped(namespace.summary))\"\"\""]
        for operation in operations { lines += methods(operation, flavor, client) }
        for alias in aliases { lines += ["", "    \(alias.name) = \(alias.operation)"] }
        return lines
    }

    private static func methods(_ operation: Operation, _ flavor: Flavor, _ client: OfficialClient) -> [String] {
        let method = PythonMethod(operation, flavor, client)
        let pages = client.pages(operation.fullName)
        return [""] + method.lines + (pages.map { [""] + method.iterator($0) } ?? [])
    }

    private static func models(_ operations: [Operation], _ client: OfficialClient) -> [String] {
        let returned = operations.compactMap { PythonMethod($0, .sync, client).modelName }
        let yielded = operations.compactMap { client.pages($0.fullName)?.text("yields") }
        return Set(returned + yielded.compactMap(PythonText.modelName)).sorted()
    }

    /// What the lines need of `typing`.
    private static func typing(_ lines: [String], _ more: [String] = []) -> [String] {
        let names = ["AsyncIterator", "Dict", "Iterator", "List", "Mapping", "Sequence"]
        let used = names.filter { name in lines.contains { mentions($0, name + "[") } }
        let needsModels = lines.contains { $0.contains("returns=") }
        return Set(["Any"] + used + more + (needsModels ? ["TYPE_CHECKING"] : [])).sorted()
    }

    private static func imports(_ lines: [String], _ models: [String]) -> [String] {
        func used(_ names: [String]) -> [String] { names.filter { name in lines.contains { mentions($0, name) } } }
        var result: [String] = []
        if !used(["NULL"]).isEmpty { result.append("from .._arguments import NULL") }
        result.append("from .._async import " + (["AsyncNamespace"] + used(["AsyncStream"])).joined(separator: ", "))
        if !used(["Paging"]).isEmpty { result.append("from .._pages import Paging, walk, walk_async") }
        if !used(["Record"]).isEmpty { result.append("from .._records import Record") }
        let run =
            used(["AsyncOnEvent", "AsyncOnPermission", "AsyncOnQuestion", "AsyncRunStream"])
            + used(["OnEvent", "OnPermission", "OnQuestion", "RunStream"])
        if !run.isEmpty {
            result.append("from .. import _run")
            result.append("from .._run import (\n    \(run.joined(separator: ", ")),\n)")
        }
        result.append("from .._sync import " + (used(["Stream"]) + ["SyncNamespace"]).joined(separator: ", "))
        guard !models.isEmpty else { return result }
        let list = wrapped(models.map { $0 + "," }.joined(separator: " "), 112).map { "        " + $0 }
        return result + ["", "if TYPE_CHECKING:", "    from ..types import ("] + list + ["    )"]
    }

    /// Whether a line has `name` as a word.
    private static func mentions(_ line: String, _ name: String) -> Bool {
        line.ranges(of: name).contains { range in
            let before = line[..<range.lowerBound].last
            let after = line[range.upperBound...].first
            let isWord: (Character?) -> Bool = { $0.map { $0.isLetter || $0.isNumber || $0 == "_" } ?? false }
            return !isWord(before) && (name.hasSuffix("[") || !isWord(after))
        }
    }

    static func className(_ namespace: String, _ flavor: Flavor) -> String {
        let words = namespace.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return flavor.rawValue + words.joined()
    }
}

// The file of the clients' common part.
extension PythonOutput {
    private static func root(_ contract: Contract, _ client: OfficialClient) -> [String] {
        let summary =
            "Every operation of the contract as a typed method, blocking (Sync...) and for asyncio (Async...)."
        let top = contract.operations(in: "engine").filter { $0.has("documented") }
        let body = Flavor.allCases.flatMap { clients(contract, top, $0, client) }
        var lines = opening(summary, typing: typing(body, ["TYPE_CHECKING"]))
        lines.insert("from importlib import import_module", at: lines.count - 2)
        lines += imports(body, models(top, client))
        let modules = contract.namespaces.map { namespace in
            let names = [Flavor.async, .sync].map { className(namespace.name, $0) }
            return "    from .\(namespace.name) import \(names.joined(separator: ", "))"
        }
        lines += (models(top, client).isEmpty ? ["", "if TYPE_CHECKING:"] : []) + modules
        lines += ["", "NAMESPACES = frozenset(["] + contract.namespaces.map { "    \"\($0.name)\"," } + ["])"]
        return lines + body + sets(contract)
    }

    /// What both clients inherit: the namespaces as attributes, and at the top what the documentation has there.
    private static func clients(
        _ contract: Contract,
        _ top: [Operation],
        _ flavor: Flavor,
        _ client: OfficialClient
    ) -> [String] {
        let name = flavor.rawValue
        var lines = [
            "", "", "class \(name)Operations(\(name)Namespace):",
            "    \"\"\"All namespaces as attributes, and the operations that stand at the top of a client.\"\"\"", "",
            "    if TYPE_CHECKING:",
        ]
        lines += contract.namespaces.map { "        \($0.name): \(className($0.name, flavor))" }
        lines += [
            "    else:", "", "        def __getattr__(self, name):", "            if name not in NAMESPACES:",
            "                raise AttributeError(f\"a client has no {name!r}\")",
            "            module = import_module(f\"{__name__}.{name}\")",
            "            kind = getattr(module, \"\(name)\" + name.title().replace(\"_\", \"\"))",
            "            namespace = self.__dict__[name] = kind(self._core)",
            "            return namespace", "",
            "    def __dir__(self) -> List[str]:", "        return [*super().__dir__(), *NAMESPACES]",
        ]
        for operation in top { lines += methods(operation, flavor, client) }
        return lines
    }

    private static func sets(_ contract: Contract) -> [String] {
        let streams = contract.operations.filter { $0.response == "sse" || $0.response == "json_lines" }
        // The engine inside answers these from memory or disk at once.
        let reads = contract.operations.filter {
            $0.has("embedded") && $0.method == "GET" && $0.entry["stream"] == nil
        }
        return ["", ""] + set("STREAMS", streams) + set("EMBEDDED_READS", reads)
    }

    private static func set(_ name: String, _ operations: [Operation]) -> [String] {
        ["\(name) = frozenset(["] + operations.map { "    \"\($0.fullName)\"," } + ["])"]
    }
}

/// A second name that an operation has in the engine's Python client only.
struct Alias {
    let namespace: String
    let operation: String
    let name: String

    static func all(_ contract: Contract) -> [Alias] {
        contract.file("compatibility").elements.compactMap { row in
            guard let ours = row["ours"]?.string, ours.hasPrefix("alias "),
                let name = ours.dropFirst("alias ".count).split(separator: ":").first,
                let parts = row["operation"]?.string?.split(separator: ".", maxSplits: 1), parts.count == 2
            else { return nil }
            return Alias(namespace: String(parts[0]), operation: String(parts[1]), name: String(name))
        }
    }
}

/// `bindings/python/libtandem/_operations.py`: one typed method for each operation, blocking and for asyncio.
enum PythonOutput {
    enum Flavor: String, CaseIterable { case sync = "Sync", async = "Async" }

    static func make(_ contract: Contract) -> Output {
        let aliases = Alias.all(contract)
        var lines = opening
        for flavor in Flavor.allCases {
            for namespace in contract.namespaces { lines += type(namespace, contract, flavor, aliases) }
            lines += client(contract, flavor)
        }
        let streams = contract.operations.filter { $0.response == "sse" || $0.response == "json_lines" }
        lines += ["", ""] + set("STREAMS", streams)
        // The engine inside answers these from memory or disk at once.
        let reads = contract.operations.filter {
            $0.has("embedded") && $0.method == "GET" && $0.entry["stream"] == nil
        }
        lines += set("EMBEDDED_READS", reads)
        return Output(
            path: "bindings/python/libtandem/_operations.py",
            text: lines.joined(separator: "\n") + "\n"
        )
    }

    private static let opening = [
        "# \(Output.mark)",
        "# mypy: disable-error-code=\"no-any-return\"",
        "\"\"\"Every operation of the contract as a typed method, blocking (Sync...) and for asyncio (Async...).\"\"\"",
        "from __future__ import annotations",
        "",
        "from typing import Any, Dict, List, Mapping, Sequence",
        "",
        "from ._async import AsyncCore, AsyncNamespace, AsyncStream",
        "from ._records import Record",
        "from ._sync import Stream, SyncCore, SyncNamespace",
    ]

    private static func type(
        _ namespace: Contract.Namespace,
        _ contract: Contract,
        _ flavor: Flavor,
        _ aliases: [Alias]
    ) -> [String] {
        var lines = ["", "", "class \(className(namespace.name, flavor))(\(flavor.rawValue)Namespace):"]
        lines += ["    \"\"\"\(PythonMethod.escaped(namespace.summary))\"\"\""]
        for operation in contract.operations(in: namespace.name) {
            lines += [""] + PythonMethod(operation, flavor).lines
        }
        for alias in aliases where alias.namespace == namespace.name {
            lines += ["", "    \(alias.name) = \(alias.operation)"]
        }
        return lines
    }

    /// What both clients inherit: the namespaces as attributes, and at the top what the documentation has there.
    private static func client(_ contract: Contract, _ flavor: Flavor) -> [String] {
        let name = flavor.rawValue
        var lines = [
            "", "", "class \(name)Operations(\(name)Namespace):",
            "    \"\"\"All namespaces as attributes, and the operations that stand at the top of a client.\"\"\"",
            "", "    def __init__(self, core: \(name)Core) -> None:", "        super().__init__(core)",
        ]
        for namespace in contract.namespaces {
            lines.append("        self.\(namespace.name) = \(className(namespace.name, flavor))(core)")
        }
        for operation in contract.operations(in: "engine") where operation.has("documented") {
            lines += [""] + PythonMethod(operation, flavor).lines
        }
        return lines
    }

    private static func set(_ name: String, _ operations: [Operation]) -> [String] {
        ["\(name) = frozenset(["] + operations.map { "    \"\($0.fullName)\"," } + ["])"]
    }

    private static func className(_ namespace: String, _ flavor: Flavor) -> String {
        let words = namespace.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return flavor.rawValue + words.joined()
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

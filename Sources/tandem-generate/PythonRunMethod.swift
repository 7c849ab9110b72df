/// `sessions.run` in Python, with callbacks and as a stream; `bindings/python/libtandem/_run.py` does the work.
struct PythonRunMethod {
    private let operation: Operation
    private let flavor: PythonOutput.Flavor
    private let parameters: PythonParameters
    private let documentation: [[String]]

    /// documentation: the paragraphs of the method that any other operation would have.
    init(_ operation: Operation, _ flavor: PythonOutput.Flavor, _ documentation: [[String]]) {
        self.operation = operation
        self.flavor = flavor
        parameters = PythonParameters(operation, nil)
        self.documentation = documentation
    }

    private var isAsync: Bool { flavor == .async }
    private var prefix: String { isAsync ? "Async" : "" }

    var lines: [String] {
        let name = PythonText.identifier(operation.name)
        let run = method(
            "\(isAsync ? "async def" : "def") \(name)",
            ["on_event", "on_permission", "on_question"],
            "Record",
            documentation + [callbacks],
            "\(isAsync ? "await _run.run_async" : "_run.run")"
        )
        let stream = method(
            "def \(name)_stream",
            ["on_permission", "on_question"],
            "\(prefix)RunStream",
            [
                ["As \(name), as a stream of its events; its result is \(name)'s, at the end."],
                ["Leaving it early cancels the run. Parameters are those of \(name)."],
            ],
            "_run.\(isAsync ? "stream_async" : "stream")"
        )
        return run + [""] + stream
    }

    private var callbacks: [String] {
        let functions = isAsync ? "functions or coroutine functions" : "functions"
        return wrapped(
            "on_event, on_permission, on_question: \(functions) that are called on this \(isAsync ? "loop" : "thread"). "
                + "on_event gets each event. on_permission(request) decides what the policy ask would ask for: \"once\", "
                + "\"always\", \"reject\", True or False; on_question(request) gives a text, a list of texts, or None. "
                + "An exception cancels the run and comes out here.",
            110
        )
    }

    private func method(
        _ head: String,
        _ callbacks: [String],
        _ result: String,
        _ documentation: [[String]],
        _ call: String
    ) -> [String] {
        let kinds = ["on_event": "OnEvent", "on_permission": "OnPermission", "on_question": "OnQuestion"]
        let functions = callbacks.map { "\($0): \(prefix)\(kinds[$0] ?? "") | None = None" }
        let declared = ["self"] + parameters.list.map(\.declaration) + functions + ["**\(parameters.rest): Any"]
        let pairs = parameters.arguments.map { "                \($0.0.pair($0.1)),\n" }.joined()
        return PythonMethod.definition(head, declared, result) + PythonMethod.docstring(documentation) + [
            "        return \(call)(", "            self._core,", "            {\n\(pairs)            },",
            "            \(parameters.rest),",
        ] + callbacks.map { "            \($0)=\($0)," } + ["        )"]
    }
}

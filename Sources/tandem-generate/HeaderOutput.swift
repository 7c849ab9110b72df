/// `include/tandem_ops.h`: one documented prototype for each operation.
enum HeaderOutput {
    static func make(_ contract: Contract) -> Output {
        var lines = opening
        for namespace in contract.namespaces {
            lines += ["", "/* \(namespace.name): \(comment(namespace.summary)) */"]
            for operation in contract.operations(in: namespace.name) { lines += prototype(operation) }
        }
        return Output(path: "include/tandem_ops.h", text: (lines + closing).joined(separator: "\n") + "\n")
    }

    private static let opening = [
        "/* \(Output.mark) */",
        "#ifndef TANDEM_OPS_H",
        "#define TANDEM_OPS_H",
        "",
        "#include \"tandem.h\"",
        "",
        "#if defined(__cplusplus)",
        "extern \"C\" {",
        "#endif",
        "",
        "/*",
        " * One function for each operation: tandem_sessions_create(c, args) is tandem_call(c, \"sessions.create\", args).",
        " * args_json is an object of the arguments listed, or NULL for none; those marked with * are required. The reply is",
        " * as that of tandem_call and is released with tandem_free. docs/operations.md says more of each operation.",
        " */",
    ]

    private static let closing = ["", "#if defined(__cplusplus)", "}", "#endif", "", "#endif"]

    private static func prototype(_ operation: Operation) -> [String] {
        var paragraphs = wrapped(comment(operation.summary), 115)
        let arguments = listedArguments(operation)
        if !arguments.isEmpty {
            let list = arguments.map { "\($0.name)\($0.isRequired ? "*" : "") \($0.type)" }.joined(separator: ", ")
            paragraphs += wrapped("Arguments: " + comment(list) + ".", 115)
        }
        if let details = operation.details { paragraphs += wrapped(comment(details), 115) }
        let text = "TANDEM_API char *TANDEM_CALL \(operation.function)(tandem_client *c, const char *args_json);"
        return ["", "/**"] + paragraphs.map { " * " + $0 } + [" */", text]
    }

    /// An argument that the path and the body share is one for the caller; a constant is none.
    static func listedArguments(_ operation: Operation) -> [Argument] {
        operation.arguments.filter { $0.constant == nil && $0.adapt != "from_path" }
    }

    /// A text that neither ends the comment it stands in nor seems to begin another.
    private static func comment(_ text: String) -> String {
        var result = ""
        for character in text {
            if (result.last == "*" && character == "/") || (result.last == "/" && character == "*") { result += " " }
            result.append(character)
        }
        return result
    }
}

/// The operations as constant data in C.
enum OperationTableOutput {
    static func make(_ contract: Contract) -> Output {
        let rows = contract.operations.map { "    {\n" + row($0) + "    }" }.joined(separator: ",\n")
        return Output(
            path: "Sources/CTandemTable/Generated/operations.c",
            text: CText.opening + "const libtandem_operation libtandem_operations[] = {\n\(rows)\n};\n\n"
                + "const uint32_t libtandem_operation_count = \(contract.operations.count);\n"
        )
    }

    private static func row(_ operation: Operation) -> String {
        let named = Value.Member(key: "name", value: .string(operation.fullName))
        let entry = Value.object([named] + operation.entry.members)
        let lines: [(name: String, value: String?)] = [
            ("name", CText.literal(operation.fullName)),
            ("summary", CText.literal(operation.summary)),
            ("method", CText.optional(operation.method)),
            ("path", CText.optional(operation.path)),
            ("paths", CText.list(operation.entry["paths"]?.strings ?? [])),
            ("arguments", arguments(operation.arguments)),
            ("argument_count", operation.arguments.isEmpty ? nil : "\(operation.arguments.count)"),
            ("body", "LIBTANDEM_BODY_" + operation.body.kind.uppercased()),
            ("body_key", CText.optional(operation.body.key)),
            ("response", "LIBTANDEM_RESPONSE_" + operation.response.uppercased()),
            ("retry", "LIBTANDEM_RETRY_" + operation.retry.uppercased()),
            ("recipe", CText.optional(operation.recipe)),
            ("body_required", CText.flag(operation.has("body_required"))),
            ("acts_for_owner", CText.flag(operation.actsForOwner)),
            ("refuses_with_ok_false", CText.flag(operation.has("refuses_with_ok_false"))),
            ("documented", CText.flag(operation.has("documented"))),
            ("gone", CText.flag(operation.has("gone"))),
            ("embedded", CText.flag(operation.has("embedded"))),
            ("enterprise", CText.flag(operation.isEnterprise)),
            ("result", operation.entry["result"].map(result)),
            ("stream", operation.entry["stream"].map(stream)),
            ("errors", CText.list(operation.errors)),
            ("json", CText.literal(entry.compact)),
        ]
        return lines.compactMap { line in line.value.map { "        .\(line.name) = \($0),\n" } }.joined()
    }

    private static func arguments(_ arguments: [Argument]) -> String? {
        guard !arguments.isEmpty else { return nil }
        let rows = arguments.map { "            {\(argument($0))},\n" }.joined()
        return "(const libtandem_argument[]){\n\(rows)        }"
    }

    private static func argument(_ argument: Argument) -> String {
        CText.members([
            ("name", CText.literal(argument.name)),
            ("wire", CText.literal(argument.wire)),
            ("type", CText.literal(argument.type)),
            ("place", "LIBTANDEM_PLACE_" + argument.place.rawValue.uppercased()),
            ("accepts", CText.list(argument.accepts)),
            ("values", CText.list(argument.values)),
            ("constant", CText.optional(argument.constant?.compact)),
            ("default_value", CText.optional(argument.defaultValue?.compact)),
            ("form", CText.optional(argument.form)),
            ("adapt", CText.optional(argument.adapt)),
            ("required", CText.flag(argument.isRequired)),
            ("wildcard", CText.flag(argument.isWildcard)),
        ])
    }

    private static func result(_ result: Value) -> String {
        let names = result["names"]?.members ?? []
        let rules = names.map { "{\(CText.literal($0.key)), \(CText.literal($0.value.compact))}" }
        let list = rules.joined(separator: ", ")
        let members = CText.members([
            ("take", CText.optional(result["take"]?.string)),
            ("list", CText.optional(result["list"]?.string)),
            ("each", CText.optional(result["each"]?.string)),
            ("type", CText.optional(result["type"]?.string)),
            ("python", CText.optional(result["python"]?.compact)),
            ("names", names.isEmpty ? nil : "(const libtandem_name_rule[]){\(list)}"),
            ("name_count", names.isEmpty ? nil : "\(names.count)"),
        ])
        return "{\(members)}"
    }

    private static func stream(_ stream: Value) -> String {
        let members = CText.members([
            ("first", CText.optional(stream["first"].flatMap { $0 == .null ? nil : $0.compact })),
            ("carries", CText.list(stream["carries"]?.strings ?? [])),
            ("ends", "LIBTANDEM_ENDS_" + (stream["ends"]?.string ?? "never").uppercased()),
            ("resumes", "LIBTANDEM_RESUMES_" + (stream["resumes"]?.string ?? "no").uppercased()),
            ("cursor_argument", CText.optional(stream["cursor"]?["argument"]?.string)),
            ("cursor_pointer", CText.optional(stream["cursor"]?["pointer"]?.string)),
        ])
        return "&(const libtandem_stream_rule){\(members)}"
    }
}

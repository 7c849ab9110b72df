/// `docs/openapi.json`: the requests that an engine takes, for tools that read OpenAPI 3.1.
enum OpenAPIOutput {
    static func make(_ contract: Contract) -> Output {
        let paths = Value.object(routes(contract).map { path, methods in .init(key: path, value: .object(methods)) })
        let schemas = contract.types.map { Value.Member(key: $0.key, value: OpenAPISchema.type($0.value)) }
        let token = Value.of(("type", .string("http")), ("scheme", .string("bearer")))
        let head: [Value.Member] = [
            .init(key: "openapi", value: .string("3.1.0")),
            .init(
                key: "info",
                value: .of(
                    ("title", .string("tandem-engine")),
                    ("version", .string("0.7.2")),
                    (
                        "description",
                        .string(Output.mark + " What the engine takes, without this library's translations.")
                    )
                )
            ),
            .init(key: "security", value: .array([.of(("token", .array([])))])),
        ]
        let lines = head.map { "  \(Value.quoted($0.key)): \($0.value.spaced)" }
        let text =
            "{\n" + lines.joined(separator: ",\n") + ",\n  \"paths\": {\n" + listed(paths, 4)
            + "\n  },\n  \"components\": {\n    \"securitySchemes\": {\"token\": \(token.spaced)},\n    \"schemas\": {\n"
            + listed(.object(schemas), 6) + "\n    }\n  }\n}\n"
        return Output(path: "docs/openapi.json", text: text)
    }

    private static func listed(_ value: Value, _ width: Int) -> String {
        value.members.map { String(repeating: " ", count: width) + "\(Value.quoted($0.key)): \($0.value.spaced)" }
            .joined(separator: ",\n")
    }

    /// Paths in the order of operations, without those that only make another operation's request.
    private static func routes(_ contract: Contract) -> [(String, [Value.Member])] {
        var routes: [(path: String, methods: [Value.Member])] = []
        for operation in contract.operations.sorted(by: { ($0.recipe == nil ? 0 : 1) < ($1.recipe == nil ? 0 : 1) }) {
            guard let method = operation.method?.lowercased(), let path = operation.path, !operation.has("gone"),
                operation.recipe?.contains(".") != true
            else { continue }
            let key = path.replacing("...}", with: "}")
            let index = routes.firstIndex { $0.path == key } ?? routes.endIndex
            if index == routes.endIndex { routes.append((key, [])) }
            if routes[index].methods.contains(where: { $0.key == method }) { continue }
            routes[index].methods.append(.init(key: method, value: entry(operation)))
        }
        return routes
    }

    private static func entry(_ operation: Operation) -> Value {
        let places: [Argument.Place] = [.path, .query, .header]
        let parameters = operation.arguments.filter { places.contains($0.place) && isSent($0) }.map(parameter)
        return .of(
            ("operationId", .string(operation.fullName)),
            ("summary", .string(operation.summary)),
            ("description", operation.details.map(Value.string)),
            ("tags", .array([.string(operation.namespace)])),
            ("parameters", parameters.isEmpty ? nil : .array(parameters)),
            ("requestBody", body(operation)),
            ("responses", responses(operation)),
            ("x-edition", operation.isEnterprise ? .string("enterprise") : nil),
            ("x-errors", operation.errors.isEmpty ? nil : .array(operation.errors.map(Value.string)))
        )
    }

    /// Some arguments only say what becomes of others.
    private static func isSent(_ argument: Argument) -> Bool {
        !["whole_body", "text_content", "memory_metadata", "memory_filter", "routine_filter"].contains(argument.adapt)
    }

    private static func parameter(_ argument: Argument) -> Value {
        .of(
            ("name", .string(argument.place == .path ? argument.name : argument.wire)),
            ("in", .string(argument.place.rawValue)),
            ("required", argument.isRequired || argument.place == .path ? .boolean(true) : nil),
            ("description", argument.summary.map(Value.string)),
            ("schema", OpenAPISchema.argument(argument, described: false))
        )
    }

    private static func body(_ operation: Operation) -> Value? {
        let fields = operation.arguments.filter { $0.place == .body && isSent($0) }
        guard !fields.isEmpty || operation.has("body_required") || operation.body.kind != "fields" else { return nil }
        let isOpen = operation.body.kind != "fields"
        var schema = OpenAPISchema.object(fields, isOpen: isOpen)
        if operation.body.kind == "wrapped", let key = operation.body.key, !fields.contains(where: { $0.wire == key }) {
            schema = .of(
                ("type", .string("object")),
                ("properties", .of((key, schema))),
                ("required", .array([.string(key)]))
            )
        }
        return .of(
            ("required", operation.has("body_required") ? .boolean(true) : nil),
            ("content", .of(("application/json", .of(("schema", schema)))))
        )
    }

    private static func responses(_ operation: Operation) -> Value {
        let media =
            switch operation.response {
            case "sse": "text/event-stream"
            case "json_lines": "application/x-ndjson"
            case "text": "text/plain"
            case "binary": "application/octet-stream"
            default: "application/json"
            }
        return .of(
            ("2XX", .of(("description", .string("Done.")), ("content", .of((media, .object([])))))),
            ("default", .of(("description", .string("Refused: `error` and `code` in JSON, a plain text, or nothing."))))
        )
    }
}

extension Value {
    /// An object of the members that have a value.
    static func of(_ members: (String, Value?)...) -> Value {
        .object(members.compactMap { key, value in value.map { Member(key: key, value: $0) } })
    }
}

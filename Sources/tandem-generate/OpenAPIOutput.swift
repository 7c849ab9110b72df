/// `docs/openapi.json`: the requests that an engine takes, for tools that read OpenAPI 3.1.
enum OpenAPIOutput {
    static func make(_ contract: Contract) -> Output {
        let paths = Value.object(routes(contract).map { path, methods in .init(key: path, value: .object(methods)) })
        let schemas = contract.types.map { Value.Member(key: $0.key, value: OpenAPISchema.type($0.value, contract)) }
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

    /// Paths in the order of operations. An operation that makes another's request is not on the wire.
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
            || argument.name == "routine_id"
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

/// Types of the contract as JSON schemas.
enum OpenAPISchema {
    static func type(_ type: Value, _ contract: Contract) -> Value {
        let variants = (type["variants"]?.elements ?? []).map { variant($0, of: type) }
        let own = fields(type)
        let bases = (type["includes"]?.strings ?? []).map(reference)
        let parts = bases + (own.isEmpty && !bases.isEmpty ? [] : variants.isEmpty ? [object(own, isOpen: false)] : [])
        let schema =
            variants.isEmpty
            ? (parts.count == 1 ? parts[0] : .of(("allOf", .array(parts)))) : .of(("oneOf", .array(variants)))
        guard let summary = type["summary"], case .object(let members) = schema else { return schema }
        return .object(members + [.init(key: "description", value: summary)])
    }

    private static func variant(_ variant: Value, of type: Value) -> Value {
        let name = variant["name"] ?? .null
        let inner = object(fields(variant), isOpen: false)
        if type["keyed"]?.isTrue == true, let key = name.string {
            return .of(("type", .string("object")), ("properties", .of((key, inner))), ("required", .array([name])))
        }
        guard let tag = type["tag"]?.string else { return inner }
        let tagged = [Value.Member(key: tag, value: .of(("const", name)))] + (inner["properties"]?.members ?? [])
        let required = [Value.string(tag)] + (inner["required"]?.elements ?? [])
        return .of(("type", .string("object")), ("properties", .object(tagged)), ("required", .array(required)))
    }

    private static func fields(_ value: Value) -> [Argument] {
        (value["fields"]?.elements ?? []).map {
            Argument(entry: $0, name: $0["name"]?.string ?? "", place: .body, isWildcard: false)
        }
    }

    static func object(_ fields: [Argument], isOpen: Bool) -> Value {
        var seen: Set<String> = []
        let own = fields.filter { seen.insert($0.wire).inserted }
        let required = own.filter { $0.isRequired && $0.form == nil }.map { Value.string($0.wire) }
        return .of(
            ("type", .string("object")),
            (
                "properties",
                own.isEmpty ? nil : .object(own.map { .init(key: $0.wire, value: argument($0, described: true)) })
            ),
            ("required", required.isEmpty ? nil : .array(required)),
            ("additionalProperties", isOpen ? .boolean(true) : nil)
        )
    }

    static func argument(_ argument: Argument, described: Bool) -> Value {
        if let constant = argument.constant { return .of(("const", constant)) }
        var members = named(argument.type).members
        if !argument.values.isEmpty, argument.type == "string" {
            members.append(.init(key: "enum", value: .array(argument.values.map(Value.string))))
        }
        if let value = argument.defaultValue { members.append(.init(key: "default", value: value)) }
        if described, let summary = argument.summary {
            members.append(.init(key: "description", value: .string(summary)))
        }
        return .object(members)
    }

    private static func reference(_ name: String) -> Value { .of(("$ref", .string("#/components/schemas/" + name))) }

    private static func named(_ name: String) -> Value {
        if name.hasPrefix("array<") {
            return .of(("type", .string("array")), ("items", named(String(name.dropFirst(6).dropLast()))))
        }
        if name.hasPrefix("map<") {
            return .of(
                ("type", .string("object")),
                ("additionalProperties", named(String(name.dropFirst(4).dropLast())))
            )
        }
        if name == "any" { return .object([]) }
        return name.first?.isUppercase == true ? reference(name) : .of(("type", .string(name)))
    }
}

extension Value {
    /// An object of the members that have a value.
    fileprivate static func of(_ members: (String, Value?)...) -> Value {
        .object(members.compactMap { key, value in value.map { Member(key: key, value: $0) } })
    }
}

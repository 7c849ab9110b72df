/// Types of the contract as JSON schemas.
enum OpenAPISchema {
    static func type(_ type: Value) -> Value {
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

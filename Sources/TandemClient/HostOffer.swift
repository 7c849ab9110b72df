internal import TandemContract
internal import TandemJSON

/// What a host provides, as `tandem_provide` was told: a value, checked.
struct HostOffer: Sendable, Equatable {
    enum Content: Sendable, Equatable {
        case tool(HostTool)
        case model(HostModel)
        case permission
        case question
    }

    let content: Content
    let timeoutMilliseconds: Int64

    private static let usualTimeoutMilliseconds: Int64 = 120_000

    init(_ spec: JSONText) throws(Failure) {
        guard let kind = spec["kind"]?.string else {
            throw Failure(.invalidArgument, "the spec has no kind: tool, model, permission or question")
        }
        let timeout = try spec["timeout_ms"].map { value throws(Failure) in
            try CallOptions.integer("timeout_ms", value, from: 1)
        }
        timeoutMilliseconds = timeout ?? HostOffer.usualTimeoutMilliseconds
        switch kind {
        case "tool":
            try HostOffer.allow(["name", "description", "parameters", "permission"], in: spec, kind)
            content = .tool(try HostOffer.tool(spec, timeoutMilliseconds))
        case "model":
            try HostOffer.allow(["name", "context_tokens", "tools"], in: spec, kind)
            content = .model(try HostOffer.model(spec))
        case "permission", "question":
            try HostOffer.allow([], in: spec, kind)
            content = kind == "permission" ? .permission : .question
        case "embedding":
            throw Failure(.notSupported, "embeddings of the host are not supported: the engine has no memory yet")
        default:
            throw Failure(.invalidArgument, "kind \"\(kind)\" is none of tool, model, permission, question")
        }
    }

    /// Whether it answers for users, which every engine needs, rather than being part of an engine.
    var decides: Bool { content == .permission || content == .question }

    var kind: HostCall.Kind {
        switch content {
        case .tool: .tool
        case .model: .model
        case .permission: .permission
        case .question: .question
        }
    }

    /// Tells it from others of its kind; there is one each of those that decide.
    var name: String {
        switch content {
        case .tool(let tool): tool.name
        case .model(let model): model.name
        case .permission, .question: ""
        }
    }
}

// Reading each kind.
extension HostOffer {
    private static func allow(_ names: [String], in spec: JSONText, _ kind: String) throws(Failure) {
        let known = ["kind"] + names + ["timeout_ms"]
        guard let other = spec.members.first(where: { !known.contains($0.key) })?.key else { return }
        throw Failure(
            .unknownArgument,
            "a provider of kind \(kind) has no member \(other); it has: \(known.joined(separator: ", "))",
            detail: JSONWriter.object { writer in
                writer.member("argument", other)
                writer.member("known", array: { writer in for name in known { writer.string(name) } })
            }
        )
    }

    private static func tool(_ spec: JSONText, _ timeout: Int64) throws(Failure) -> HostTool {
        let name = spec["name"]?.string ?? ""
        // What model servers take as a function's name.
        guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
            throw Failure(.invalidArgument, "name has to be 1 to 64 of the characters a-z, A-Z, 0-9, _ and -")
        }
        let description = spec["description"].map { $0.isNull ? "" : $0.string } ?? ""
        guard let description else { throw Failure(.invalidArgument, "description is no text") }
        let permission = spec["permission"].map { $0.string ?? $0.text } ?? "allow"
        guard permission == "allow" || permission == "ask" else {
            throw Failure(.invalidArgument, "permission is neither \"allow\" nor \"ask\"")
        }
        return HostTool(
            name: name,
            description: description,
            parameters: try parameters(spec["parameters"]),
            asks: permission == "ask",
            timeoutMilliseconds: timeout
        )
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    /// A JSON schema of an object, as models are shown it; none: no parameters.
    private static func parameters(_ schema: JSONText?) throws(Failure) -> JSONText {
        guard let schema, !schema.isNull else {
            return JSONWriter.object { writer in
                writer.member("type", "object")
                writer.member("properties", .emptyObject)
            }
        }
        guard schema.kind == .object, schema["type"]?.string == "object" else {
            throw Failure(.invalidArgument, "parameters is no JSON schema of an object ({\"type\":\"object\", ...})")
        }
        if let properties = schema["properties"] {
            guard properties.kind == .object,
                properties.members.allSatisfy({ $0.value.kind == .object || $0.value.kind == .boolean })
            else { throw Failure(.invalidArgument, "properties in parameters is no object of schemas") }
        }
        if let required = schema["required"] {
            guard required.kind == .array, required.elements.allSatisfy({ $0.kind == .string }) else {
                throw Failure(.invalidArgument, "required in parameters is no array of names")
            }
        }
        return schema
    }

    private static func model(_ spec: JSONText) throws(Failure) -> HostModel {
        let name = spec["name"]?.string ?? ""
        guard (1...128).contains(name.utf8.count), name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Failure(.invalidArgument, "name has to be 1 to 128 printable ASCII characters without spaces")
        }
        let context = try spec["context_tokens"].flatMap { $0.isNull ? nil : $0 }.map { value throws(Failure) in
            try CallOptions.integer("context_tokens", value, from: 1)
        }
        let tools = try spec["tools"].map { value throws(Failure) in try CallOptions.boolean("tools", value) }
        return HostModel(name: name, contextTokens: context, takesTools: tools ?? false)
    }
}

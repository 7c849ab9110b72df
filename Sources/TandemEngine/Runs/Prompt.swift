internal import TandemContract
internal import TandemJSON

/// Whether a run may, must or must not use tools.
enum ToolMode: String, CaseIterable, Sendable { case auto, none, required }

/// What a caller asks in a session.
struct Prompt: Equatable, Sendable {
    enum Part: Equatable, Sendable {
        case text(String)
        case file(FilePart)
    }

    struct Sampling: Equatable, Sendable {
        var temperature: Double?
        var topP: Double?
        var maxTokens: Int?
    }

    var parts: [Part]
    var model: ModelReference?
    var agent: String?
    var contextMode = ContextMode.auto
    var sampling = Sampling()
    var toolMode = ToolMode.auto
    /// Names, or beginnings with `*`, of the only tools that this run may use; nil: all that are offered.
    var toolAllowlist: [String]?
    /// Who sends the prompt answers the questions of its run.
    var answersQuestions = false

    /// The text that is stored: files are a line each.
    var text: String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .file(let file): file.line
            }
        }.joined(separator: "\n")
    }

    var files: [FilePart] {
        parts.compactMap { if case .file(let file) = $0 { file } else { nil } }
    }

    /// The text with the files' contents, in the order of the files, for the model.
    func text(with files: [FileText]) -> String {
        var rest = files[...]
        return parts.map { part in
            switch part {
            case .text(let text): text
            case .file(let file): rest.popFirst()?.text ?? file.line
            }
        }.joined(separator: "\n")
    }
}

/// A model by name.
struct ModelReference: Equatable, Sendable {
    let providerID: String
    let modelID: String

    /// Blank names name nothing.
    init?(providerID: String, modelID: String) {
        guard !providerID.allSatisfy(\.isWhitespace), !modelID.allSatisfy(\.isWhitespace) else { return nil }
        self.providerID = providerID
        self.modelID = modelID
    }

    /// Reads `{"providerID", "modelID"}` in all its spellings.
    init?(_ fields: Fields) throws(Halt) {
        let provider = try fields.required("provider_id", "providerID", "providerId")
        let model = try fields.required("model_id", "modelID", "modelId")
        self.init(providerID: provider, modelID: model)
    }
}

extension Prompt {
    /// Reads a request's body; what it does not know it ignores, as the engine does.
    init(_ request: Request) throws(Halt) {
        let fields = try Fields(body: request.body)
        var parts: [Part] = []
        for part in try fields.objects("parts") ?? [] { parts.append(try Prompt.part(part)) }
        self.parts = parts
        if let model = try fields.object("model") { self.model = try ModelReference(model) }
        agent = try fields.string("agent")
        if let mode = try fields.word("contextMode", "context_mode", of: ContextMode.allCases.map(\.rawValue)) {
            contextMode = ContextMode(rawValue: mode) ?? .auto
        }
        if let mode = try fields.word("toolMode", "tool_mode", of: ToolMode.allCases.map(\.rawValue)) {
            toolMode = ToolMode(rawValue: mode) ?? .auto
        }
        toolAllowlist = try fields.strings("toolAllowlist", "tool_allowlist")
        _ = try fields.boolean("writeRequired", "write_required")
        _ = try fields.boolean("strictKbGrounding", "strict_kb_grounding")
        sampling = try Sampling(fields)
        answersQuestions = request.header(RunTerms.answersQuestions) != nil
    }

    private static func part(_ fields: Fields) throws(Halt) -> Part {
        switch try fields.required("type") {
        case "text": return .text(try fields.required("text"))
        case "file":
            return .file(
                FilePart(
                    mime: try fields.required("mime"),
                    name: try fields.string("filename"),
                    url: try fields.required("url")
                )
            )
        case let other: throw .reply(fields.refusal("type", "`\(other)` is neither text nor file"))
        }
    }

    /// The same prompt always gives the same text: what an idempotency key stands for.
    var fingerprint: String {
        JSONWriter.object { writer in
            writer.member(
                "parts",
                array: { writer in
                    for part in parts {
                        switch part {
                        case .text(let text): writer.string(text)
                        case .file(let file): writer.string(file.line)
                        }
                    }
                }
            )
            writer.nullable("provider", model?.providerID)
            writer.nullable("model", model?.modelID)
            writer.nullable("agent", agent)
            writer.member("mode", contextMode.rawValue)
            if toolMode != .auto { writer.member("tool_mode", toolMode.rawValue) }
            if let toolAllowlist {
                writer.member("tools", array: { writer in for name in toolAllowlist { writer.string(name) } })
            }
            writer.optional("temperature", sampling.temperature)
            writer.optional("top_p", sampling.topP)
            writer.optional("max_tokens", sampling.maxTokens.map { Int64($0) })
        }.text
    }
}

extension Prompt.Sampling {
    init(_ fields: Fields) throws(Halt) {
        temperature = try fields.number("temperature")
        topP = try fields.number("top_p", "topP")
        maxTokens = try fields.count("max_tokens", "maxTokens")
    }

    /// Each value for itself: the prompt's goes before the session's.
    func filled(from other: Prompt.Sampling) -> Prompt.Sampling {
        Prompt.Sampling(
            temperature: temperature ?? other.temperature,
            topP: topP ?? other.topP,
            maxTokens: maxTokens ?? other.maxTokens
        )
    }
}

internal import TandemContract
internal import TandemJSON
internal import TandemProviders

/// A tool that a run may use.
struct RunTool: Equatable, Sendable {
    enum Kind: Equatable, Sendable {
        case host
        case builtIn(BuiltInTool)
    }

    let kind: Kind
    let model: ModelTool
    /// Whether each call waits for a permission where no rule says otherwise.
    let asks: Bool

    var name: String { model.name }

    init(_ tool: HostTool) {
        kind = .host
        model = ModelTool(name: tool.name, description: tool.description, parameters: tool.parameters)
        asks = tool.asks
    }

    init(_ tool: BuiltInTool) {
        kind = .builtIn(tool)
        model = tool.model
        asks = false
    }
}

/// What one call of a model is offered.
struct ToolOffer: Equatable, Sendable {
    /// How many there are, offered or not.
    var available = 0
    var tools: [RunTool] = []

    static let none = ToolOffer()

    init() {}

    /// The host's tools, and of the engine's own those that somebody wants: plain prompts stay small.
    init(_ offers: HostOffers, to prompt: Prompt, of choice: ModelChoice) {
        let answersQuestions = offers.answersQuestions || prompt.answersQuestions
        if offers.tools.isEmpty && !answersQuestions && prompt.toolAllowlist == nil { return }
        let own = BuiltInTool.allCases.filter { tool in
            !offers.tools.contains { $0.name == tool.rawValue }
                && (prompt.names(tool.rawValue)
                    || tool == .question && prompt.toolAllowlist == nil && answersQuestions)
        }
        available = offers.tools.count + own.count
        guard prompt.toolMode != .none, offers.takesTools(choice) else { return }
        tools =
            offers.tools.filter { prompt.toolAllowlist == nil || prompt.names($0.name) }.map { RunTool($0) }
            + own.map { RunTool($0) }
    }

    /// The tool that a model means.
    func tool(_ name: String) -> RunTool? {
        if let exact = tools.first(where: { $0.name == name }) { return exact }
        let canonical = ToolName.canonical(name)
        let meant = tools.filter { ToolName.canonical($0.name) == canonical }
        return meant.count == 1 ? meant.first : nil
    }

    var names: [String] { tools.map(\.name) }
}

extension Prompt {
    /// Whether the allowlist names the tool.
    func names(_ tool: String) -> Bool { toolAllowlist?.contains { ToolName.entry($0, means: tool) } ?? false }
}

extension HostOffers {
    fileprivate func takesTools(_ choice: ModelChoice) -> Bool {
        guard choice.isHosted else { return true }
        return models.first { $0.name == choice.modelID }?.takesTools ?? true
    }
}

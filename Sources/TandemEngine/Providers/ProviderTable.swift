internal import TandemContract
internal import TandemJSON

/// One configured provider.
struct ProviderSettings: Equatable, Sendable {
    let id: String
    var url: String?
    var key: String?
    var defaultModel: String?
    /// Known from the environment, not from the configuration.
    var isFromEnvironment = false
}

/// The providers of an engine and what is used when a prompt names none.
struct ProviderTable: Equatable, Sendable {
    /// In the order of the configuration, the environment's last.
    private(set) var providers: [ProviderSettings] = []
    /// What open was told.
    let configuredProvider: String?
    let configuredModel: String?
    /// What `set_defaults` stored: it goes before what open was told.
    var storedProvider: String?
    var storedModels: [String: String] = [:]

    init(_ configuration: EngineConfiguration) throws(Failure) {
        configuredProvider = configuration.defaultProvider
        configuredModel = configuration.defaultModel
        if let text = configuration.providers { providers = try ProviderTable.read(text) }
        let environment = configuration.environment
        let isGiven = environment.openAIKey != nil || environment.openAIBaseURL != nil
        if isGiven && self["openai"] == nil {
            providers.append(
                ProviderSettings(
                    id: "openai",
                    url: environment.openAIBaseURL,
                    key: environment.openAIKey,
                    isFromEnvironment: true
                )
            )
        }
    }

    subscript(_ id: String) -> ProviderSettings? { providers.first { $0.id == id } }

    var configured: [ProviderSettings] { providers.filter { !$0.isFromEnvironment } }

    /// The provider for prompts that name none; nil when nobody chose one.
    var defaultProvider: String? {
        if let chosen = storedProvider ?? configuredProvider { return chosen }
        let configured = configured
        if configured.count == 1 { return configured.first?.id }
        return providers.first { $0.isFromEnvironment }?.id
    }

    func defaultModel(of id: String) -> String? {
        if let stored = storedModels[id] { return stored }
        if id == defaultProvider, let configuredModel { return configuredModel }
        return self[id]?.defaultModel ?? KnownProvider.named(id)?.model
    }

    private static func read(_ text: JSONText) throws(Failure) -> [ProviderSettings] {
        guard text.kind == .object else { throw Failure(.invalidArgument, "providers has to be an object") }
        var providers: [ProviderSettings] = []
        for (id, value) in text.members {
            guard !id.isEmpty, value.kind == .object else {
                throw Failure(.invalidArgument, "providers.\(id) has to be an object")
            }
            var settings = ProviderSettings(id: id)
            for (name, field) in value.members where !field.isNull {
                guard let text = field.string else {
                    throw Failure(.invalidArgument, "providers.\(id).\(name) has to be a string")
                }
                switch name {
                case "url": settings.url = text
                case "api_key": settings.key = text
                case "default_model": settings.defaultModel = text
                default:
                    throw Failure(.invalidArgument, "providers.\(id) knows url, api_key and default_model, not \(name)")
                }
            }
            providers.append(settings)
        }
        return providers
    }
}

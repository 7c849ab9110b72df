internal import TandemContract
internal import TandemProviders

/// A model that can be called.
struct ModelChoice: Equatable, Sendable {
    let providerID: String
    let modelID: String
    var baseURL: String?
    var key: String?
    /// It was found on this machine and may be gone again.
    var isFound = false

    static let echo = ModelChoice(providerID: EchoModel.provider, modelID: EchoModel.model)

    var isHosted: Bool { providerID == HostedModel.provider }
}

extension ModelChoice {
    init(hosted model: String) { self.init(providerID: HostedModel.provider, modelID: model) }
}

/// Which model a prompt gets: the one it names, its session's, the configured one, the environment's, the host's, one
/// found on this machine, and at last the echo.
enum ModelSelection {
    /// What is known of servers on this machine.
    enum Surroundings: Equatable {
        case unknown
        case nothing
        case server(LoopbackServer)
    }

    enum Decision: Equatable {
        case chosen(ModelChoice)
        case refused(RunFailure)
        /// It depends on what is on this machine.
        case lookAround
    }

    static func choose(
        _ wanted: ModelReference?,
        _ table: ProviderTable,
        _ hosted: [HostModel],
        _ around: Surroundings
    ) -> Decision {
        if let wanted { return named(wanted, table, hosted, around) }
        if let provider = table.defaultProvider {
            let first = provider == HostedModel.provider ? hosted.first?.name : nil
            guard let model = table.defaultModel(of: provider) ?? first else {
                return .refused(
                    RunFailure(
                        code: "MODEL_SELECTION_REQUIRED",
                        message:
                            "provider `\(provider)` has no default model, and neither prompt nor session names one",
                        category: "provider"
                    )
                )
            }
            guard let reference = ModelReference(providerID: provider, modelID: model) else { return .chosen(.echo) }
            return named(reference, table, hosted, around)
        }
        if let model = hosted.first { return .chosen(ModelChoice(hosted: model.name)) }
        switch around {
        case .unknown: return .lookAround
        case .nothing: return .chosen(.echo)
        case .server(let server): return .chosen(found(server, model: table.configuredModel ?? server.model))
        }
    }

    private static func named(
        _ wanted: ModelReference,
        _ table: ProviderTable,
        _ hosted: [HostModel],
        _ around: Surroundings
    ) -> Decision {
        let known = KnownProvider.named(wanted.providerID)
        if let settings = table[wanted.providerID] {
            guard let url = settings.url ?? known?.baseURL else {
                let reason = known?.isForeign == true ? "speaks a protocol that is not built in yet" : "has no url"
                return .refused(
                    .dispatch("provider `\(wanted.providerID)` \(reason)", category: "missing_connection")
                )
            }
            return .chosen(
                ModelChoice(
                    providerID: wanted.providerID,
                    modelID: wanted.modelID,
                    baseURL: url,
                    key: settings.key
                )
            )
        }
        if wanted.providerID == EchoModel.provider { return .chosen(.echo) }
        if wanted.providerID == HostedModel.provider {
            guard hosted.contains(where: { $0.name == wanted.modelID }) else {
                return .refused(
                    .dispatch("the host offers no model `\(wanted.modelID)`", category: "missing_connection")
                )
            }
            return .chosen(ModelChoice(hosted: wanted.modelID))
        }
        if KnownProvider.isLocal(wanted.providerID) {
            switch around {
            case .unknown: return .lookAround
            case .server(let server) where server.provider == known?.id:
                return .chosen(found(server, model: wanted.modelID))
            default: break
            }
        }
        return .refused(.missing(wanted.providerID, configured: table.providers.map(\.id)))
    }

    private static func found(_ server: LoopbackServer, model: String) -> ModelChoice {
        ModelChoice(providerID: server.provider, modelID: model, baseURL: server.baseURL, isFound: true)
    }
}

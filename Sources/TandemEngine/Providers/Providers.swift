internal import TandemContract
internal import TandemJSON
internal import TandemProviders
internal import TandemStore
internal import TandemSystem

/// Model providers: which there are, which key they have, which is the default.
enum Providers {
    static let handlers: [Handler] = [
        .read(.providersCatalog, catalog),
        .read(.providersAuthStatus, authStatus),
        .write(.providersSetDefaults, setDefaults),
    ]

    /// What is configured, then what could be; nobody is asked over the network.
    @Sendable private static func catalog(_ reading: Reading, _: Request) throws(Halt) -> Reply {
        let table = reading.context.providers.withLock { $0 }
        let others = KnownProvider.all.filter { table[$0.id] == nil }
        let hosted = reading.context.host.offers.models
        return .json(
            JSONWriter.object { writer in
                writer.member(
                    "all",
                    array: { writer in
                        for provider in table.providers { writeConfigured(provider, table, &writer) }
                        if !hosted.isEmpty { writeHosted(hosted, &writer) }
                        for provider in others { writeMissing(provider, &writer) }
                    }
                )
                writer.member(
                    "connected",
                    array: { writer in
                        for one in table.providers { writer.string(one.id) }
                        if !hosted.isEmpty { writer.string(HostedModel.provider) }
                    }
                )
                writer.member("default", table.defaultProvider ?? (hosted.isEmpty ? "local" : HostedModel.provider))
            }
        )
    }

    private static func writeHosted(_ models: [HostModel], _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", HostedModel.provider)
            writer.member("name", "The host of the library")
            writer.member(
                "models",
                object: { writer in
                    for model in models {
                        writer.member(
                            model.name,
                            object: { writer in
                                writer.member("name", model.name)
                                writer.nullable(
                                    "limit",
                                    model.contextTokens.map { tokens in
                                        JSONWriter.object { $0.member("context", tokens) }
                                    }
                                )
                            }
                        )
                    }
                }
            )
            writer.member("catalog_source", "host")
            writer.member("catalog_status", "ok")
        }
    }

    private static func writeConfigured(
        _ provider: ProviderSettings,
        _ table: ProviderTable,
        _ writer: inout JSONWriter
    ) {
        let model = table.defaultModel(of: provider.id)
        writer.object { writer in
            writer.member("id", provider.id)
            writer.member("name", KnownProvider.named(provider.id)?.name ?? provider.id)
            writer.member(
                "models",
                object: { writer in
                    guard let model else { return }
                    writer.member(
                        model,
                        object: { writer in
                            writer.member("name", model)
                            writer.nullable("limit", JSONText?.none)
                        }
                    )
                }
            )
            writer.member("catalog_source", model == nil ? "empty" : "config")
            writer.member("catalog_status", model == nil ? "unavailable" : "ok")
            if model == nil { writer.member("catalog_message", "no model is configured; name one in the prompt") }
        }
    }

    private static func writeMissing(_ provider: KnownProvider, _ writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("id", provider.id)
            writer.member("name", provider.name)
            writer.member("models", JSONText.emptyObject)
            writer.member("catalog_source", "empty")
            writer.member("catalog_status", "unavailable")
            writer.member("catalog_message", "\(provider.name) is not configured")
        }
    }

    @Sendable private static func authStatus(_ reading: Reading, _: Request) throws(Halt) -> Reply {
        let table = reading.context.providers.withLock { $0 }
        return .json(
            JSONWriter.object { writer in
                writer.member(
                    "providers",
                    object: { writer in
                        for provider in table.providers { writeStatus(provider.id, provider, &writer) }
                        if table["openai-codex"] == nil { writeStatus("openai-codex", nil, &writer) }
                    }
                )
            }
        )
    }

    private static func writeStatus(_ id: String, _ provider: ProviderSettings?, _ writer: inout JSONWriter) {
        let hasKey = !(provider?.key ?? "").isEmpty
        writer.member(
            id,
            object: { writer in
                writer.member("has_key", hasKey)
                writer.member("configured", provider != nil)
                writer.member("connected", provider != nil)
                writer.member("source", !hasKey ? "none" : provider?.isFromEnvironment == true ? "env" : "runtime")
                writer.member("auth_kind", "api_key")
                writer.member("status", hasKey ? "configured" : "missing")
                writer.member("local_session_available", false)
            }
        )
    }

    @Sendable private static func setDefaults(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        let fields = try Fields(body: request.body)
        if Config.soundsSecret(fields.body) {
            throw .reply(
                .json(
                    JSONWriter.object { writer in
                        writer.member("error", "the configuration does not take secrets")
                        writer.member("code", "CONFIG_SECRET_REJECTED")
                        writer.member("hint", "give keys of providers when the engine is opened")
                    },
                    status: 400
                )
            )
        }
        let provider = try fields.string("default_provider")
        var models: [(id: String, model: String)] = []
        for (id, value) in fields.value("providers")?.members ?? [] {
            if let model = try Fields(body: value).string("default_model") { models.append((id, model)) }
        }
        var table = batch.context.providers.withLock { $0 }
        if let provider { table.storedProvider = provider }
        for (id, model) in models { table.storedModels[id] = model }
        try stored { () throws(StoreError) in try Config.store(table, in: batch.store) }
        let changed = table
        batch.first { batch.context.providers.withLock { $0 = changed } }
        return .json(JSONWriter.object { $0.member("effective", Config.effective(changed)) })
    }
}

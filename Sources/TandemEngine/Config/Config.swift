internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

/// The configuration as it is, and where it came from.
enum Config {
    static let migrations = [
        Migration(1, "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    ]

    static let handlers: [Handler] = [.read(.configGet, get)]

    private static let providerName = "default_provider"
    private static let modelPrefix = "default_model/"

    static func store(_ table: ProviderTable, in store: Connection) throws(StoreError) {
        var settings = table.storedModels.map { (modelPrefix + $0.key, $0.value) }
        if let provider = table.storedProvider { settings.append((providerName, provider)) }
        for (name, value) in settings {
            try store.run(
                "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                .text(name),
                .text(value)
            )
        }
    }

    /// Adds what was stored by an earlier engine.
    static func load(_ table: inout ProviderTable, from store: Connection) throws(StoreError) {
        let settings = try store.all("SELECT name, value FROM settings ORDER BY name") { ($0.text(0), $0.text(1)) }
        for (name, value) in settings {
            if name == providerName { table.storedProvider = value }
            if name.hasPrefix(modelPrefix) { table.storedModels[String(name.dropFirst(modelPrefix.count))] = value }
        }
    }

    @Sendable private static func get(_ reading: Reading, _: Request) throws(Halt) -> Reply {
        let table = reading.context.providers.withLock { $0 }
        return .json(
            JSONWriter.object { writer in
                writer.member("effective", effective(table))
                writer.member(
                    "layers",
                    object: { writer in
                        writer.member("global", layer(table.configured, defaultProvider: table.configuredProvider))
                        writer.member("project", project(table))
                        writer.member("managed", JSONText.emptyObject)
                        writer.member("env", layer(table.providers.filter(\.isFromEnvironment)))
                        writer.member("runtime", JSONText.emptyObject)
                        writer.member("cli", JSONText.emptyObject)
                    }
                )
            }
        )
    }

    static func effective(_ table: ProviderTable) -> JSONText {
        var providers = table.providers
        for id in table.storedModels.keys.sorted() where table[id] == nil { providers.append(ProviderSettings(id: id)) }
        return layer(
            providers.map { provider in
                var provider = provider
                provider.defaultModel = table.storedModels[provider.id] ?? provider.defaultModel
                return provider
            },
            defaultProvider: table.storedProvider ?? table.configuredProvider
        )
    }

    private static func project(_ table: ProviderTable) -> JSONText {
        layer(
            table.storedModels.sorted { $0.key < $1.key }.map { ProviderSettings(id: $0.key, defaultModel: $0.value) },
            defaultProvider: table.storedProvider
        )
    }

    private static func layer(_ providers: [ProviderSettings], defaultProvider: String? = nil) -> JSONText {
        JSONWriter.object { writer in
            writer.optional("default_provider", defaultProvider)
            if providers.isEmpty { return }
            writer.member(
                "providers",
                object: { writer in
                    for provider in providers {
                        writer.member(
                            provider.id,
                            object: { writer in
                                if provider.key != nil { writer.member("api_key", "[REDACTED]") }
                                writer.optional("default_model", provider.defaultModel)
                                writer.optional("url", provider.url.map(withoutCredentials))
                            }
                        )
                    }
                }
            )
        }
    }

    /// An address may carry a name and a password before its host.
    static func withoutCredentials(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count > 2, parts[1].isEmpty, let at = parts[2].lastIndex(of: "@") else { return url }
        let rest = parts.count > 3 ? "/" + parts[3] : ""
        return "\(parts[0])//[REDACTED]\(parts[2][at...])\(rest)"
    }

    private static let secretWords = [
        "token", "secret", "password", "credential", "apikey", "privatekey", "signingkey", "encryptionkey",
        "authorization", "cookie", "header",
    ]

    /// True when a key at any depth is the name of a secret.
    static func soundsSecret(_ value: JSONText) -> Bool {
        var rest = [value]
        while let next = rest.popLast() {
            rest += next.elements
            for (key, member) in next.members {
                let plain = key.lowercased().filter { $0.isLetter || $0.isNumber }
                if ["auth", "oauth"].contains(plain) || secretWords.contains(where: { plain.contains(text: $0) }) {
                    return true
                }
                rest.append(member)
            }
        }
        return false
    }
}

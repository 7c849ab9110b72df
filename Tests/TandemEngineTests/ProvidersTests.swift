import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct ProvidersTests {
    private func fixture(_ folder: Folder? = nil) throws -> EngineFixture {
        let providers = try JSONText(
            checking: #"{"mine":{"url":"https://me:pass@host/v1","api_key":"sk-secret","default_model":"m1"}}"#
        )
        return try EngineFixture(ScriptedModel(text: "Hi")) { configuration in
            configuration.providers = providers
            if let folder { configuration.state = .directory(folder.path) }
        }
    }

    @Test func theCatalogListsConfiguredAndKnownProviders() throws {
        let catalog = try #require(try fixture().call(.providersCatalog).json)
        #expect(catalog["all"]?.elements.first?["id"]?.string == "mine")
        #expect(catalog["all"]?.elements.first?.at("models", "m1", "name")?.string == "m1")
        #expect(catalog["all"]?.elements.count == 15)
        #expect(catalog["connected"]?.text == #"["mine"]"#)
        #expect(catalog["default"]?.string == "mine")
    }

    @Test func keysAreNeverShown() throws {
        let fixture = try fixture()
        for operation in [OperationNumber.configGet, .providersCatalog, .providersAuthStatus] {
            let text = try fixture.call(operation).json?.text ?? ""
            #expect(!text.contains("sk-secret") && !text.contains("pass"))
        }
        #expect(
            try fixture.call(.configGet).json?.at("effective", "providers", "mine", "api_key")?.string == "[REDACTED]"
        )
        let status = try fixture.call(.providersAuthStatus).json
        #expect(status?.at("providers", "mine", "has_key")?.boolean == true)
        #expect(status?.at("providers", "openai-codex", "configured")?.boolean == false)
    }

    @Test func defaultsAreKept() throws {
        let folder = Folder()
        do {
            let reply = try fixture(folder).call(
                .providersSetDefaults,
                nil,
                #"{"default_provider":"mine","providers":{"mine":{"default_model":"m2"}}}"#
            )
            #expect(reply.json?.at("effective", "providers", "mine", "default_model")?.string == "m2")
        }
        let config = try #require(try fixture(folder).call(.configGet).json)
        #expect(config.at("effective", "default_provider")?.string == "mine")
        #expect(config.at("layers", "project", "providers", "mine", "default_model")?.string == "m2")
        #expect(config.at("layers", "global", "providers", "mine", "default_model")?.string == "m1")
        #expect(config["layers"]?.members.map(\.key) == ["global", "project", "managed", "env", "runtime", "cli"])
    }

    @Test(arguments: [#"{"providers":{"a":{"api_key":"x"}}}"#, #"{"max_tokens":1}"#, #"{"a":[{"oauth":1}]}"#])
    func secretsAreRefused(body: String) throws {
        let reply = try fixture().call(.providersSetDefaults, nil, body)
        #expect(reply.status == 400)
        #expect(reply.json?["code"]?.string == "CONFIG_SECRET_REJECTED")
    }

    @Test func theDefaultModelIsCalled() throws {
        let model = ScriptedModel(text: "Hi")
        let providers = try JSONText(checking: #"{"mine":{"url":"http://h","default_model":"m1"}}"#)
        let fixture = try EngineFixture(model) { $0.providers = providers }
        _ = try fixture.call(.sessionsPromptSync, fixture.session(), EngineFixture.body("hi"))
        #expect(model.request()?.request.model == "m1")
    }
}

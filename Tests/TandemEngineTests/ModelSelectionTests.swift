import TandemContract
import TandemJSON
@testable import TandemProviders
import Testing

@testable import TandemEngine

@Suite struct ModelSelectionTests {
    private let server = LoopbackServer(provider: "llama_cpp", baseURL: "http://127.0.0.1:1/v1", model: "found")

    private func table(_ change: (inout EngineConfiguration) throws -> Void = { _ in }) throws -> ProviderTable {
        var configuration = EngineConfiguration()
        try change(&configuration)
        return try ProviderTable(configuration)
    }

    private func choose(
        _ wanted: ModelReference?,
        _ table: ProviderTable,
        _ around: ModelSelection.Surroundings = .nothing,
        hosted: [HostModel] = []
    ) -> ModelSelection.Decision { ModelSelection.choose(wanted, table, hosted, around) }

    @Test func whatThePromptNamesGoesFirst() throws {
        let table = try table {
            $0.providers = try JSONText(checking: #"{"a":{"url":"http://a","api_key":"k"},"b":{"url":"http://b"}}"#)
            $0.defaultProvider = "b"
        }
        #expect(
            choose(ModelReference(providerID: "a", modelID: "m"), table)
                == .chosen(ModelChoice(providerID: "a", modelID: "m", baseURL: "http://a", key: "k"))
        )
    }

    @Test func theConfiguredDefaultComesNext() throws {
        var table = try table {
            $0.providers = try JSONText(
                checking: #"{"a":{"url":"http://a","default_model":"am"},"b":{"url":"http://b"}}"#
            )
            $0.defaultProvider = "a"
        }
        #expect(choose(nil, table) == .chosen(ModelChoice(providerID: "a", modelID: "am", baseURL: "http://a")))
        table.storedProvider = "b"
        table.storedModels = ["b": "bm"]
        #expect(choose(nil, table) == .chosen(ModelChoice(providerID: "b", modelID: "bm", baseURL: "http://b")))
    }

    @Test func theOnlyProviderNeedsNoDefault() throws {
        let table = try table {
            $0.providers = try JSONText(checking: #"{"a":{"url":"http://a","default_model":"am"}}"#)
        }
        #expect(choose(nil, table) == .chosen(ModelChoice(providerID: "a", modelID: "am", baseURL: "http://a")))
    }

    @Test func thenTheEnvironmentThenThisMachineThenTheEcho() throws {
        let environment = try table { $0.environment.openAIKey = "k" }
        guard case .chosen(let choice) = choose(nil, environment) else {
            Issue.record("none")
            return
        }
        #expect(choice.providerID == "openai" && choice.key == "k")
        let empty = try table()
        #expect(choose(nil, empty, .unknown) == .lookAround)
        #expect(
            choose(nil, empty, .server(server))
                == .chosen(
                    ModelChoice(
                        providerID: "llama_cpp",
                        modelID: "found",
                        baseURL: server.baseURL,
                        isFound: true
                    )
                )
        )
        #expect(choose(nil, empty, .nothing) == .chosen(.echo))
    }

    @Test func aLocalServerMayBeNamed() throws {
        let wanted = ModelReference(providerID: "llama_cpp", modelID: "m")
        #expect(try choose(wanted, table(), .unknown) == .lookAround)
        guard case .chosen(let choice) = try choose(wanted, table(), .server(server)) else {
            Issue.record("none")
            return
        }
        #expect(choice.modelID == "m")
    }

    @Test func whoeverIsNotConfiguredIsMissing() throws {
        guard case .refused(let failure) = try choose(ModelReference(providerID: "openai", modelID: "m"), table())
        else {
            Issue.record("not refused")
            return
        }
        #expect(failure.category == "missing_connection")
    }

    @Test(arguments: [#"[]"#, #"{"a":1}"#, #"{"a":{"url":5}}"#, #"{"a":{"colour":"red"}}"#])
    func badProvidersAreRefused(text: String) throws {
        #expect(throws: (any Error).self) { try table { $0.providers = try JSONText(checking: text) } }
    }

    @Test func theHostsModelGoesBeforeOneThatWasFound() throws {
        let hosted = [HostModel(name: "mine", contextTokens: nil, takesTools: true)]
        #expect(choose(nil, try table(), .server(server), hosted: hosted) == .chosen(ModelChoice(hosted: "mine")))
        let configured = try table { $0.defaultProvider = "host" }
        #expect(choose(nil, configured, hosted: hosted) == .chosen(ModelChoice(hosted: "mine")))
    }

    @Test func aHostsModelIsChosenByItsNameAsLongAsItIsOffered() throws {
        let wanted = ModelReference(providerID: "host", modelID: "mine")
        let hosted = [HostModel(name: "mine", contextTokens: nil, takesTools: true)]
        #expect(choose(wanted, try table(), hosted: hosted) == .chosen(ModelChoice(hosted: "mine")))
        #expect(
            choose(wanted, try table())
                == .refused(.dispatch("the host offers no model `mine`", category: "missing_connection"))
        )
    }
}

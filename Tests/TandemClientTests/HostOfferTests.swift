import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct HostOfferTests {
    private func offer(_ text: String) throws -> HostOffer { try HostOffer(JSONText(checking: text)) }

    private func failure(_ text: String) throws -> Failure {
        let json = try JSONText(checking: text)
        return try #require(throws: Failure.self) { _ = try HostOffer(json) }
    }

    @Test func toolHasWhatTheSpecSays() throws {
        let spec = """
            {"kind":"tool","name":"add-1_B","description":"Adds.","parameters":{"type":"object","properties":{"a":{}},
            "required":["a"]},"permission":"ask","timeout_ms":5}
            """
        guard case .tool(let tool) = try offer(spec).content else { throw Failure(.internalError, "no tool") }
        #expect(tool.name == "add-1_B")
        #expect(tool.description == "Adds.")
        #expect(tool.parameters["required"]?.elements.count == 1)
        #expect(tool.asks)
        #expect(tool.timeoutMilliseconds == 5)
        #expect(try offer(spec).timeoutMilliseconds == 5)
    }

    @Test func toolNeedsANameAlone() throws {
        guard case .tool(let tool) = try offer(#"{"kind":"tool","name":"t","parameters":null}"#).content else {
            throw Failure(.internalError, "no tool")
        }
        #expect(tool.parameters.text == #"{"type":"object","properties":{}}"#)
        #expect(!tool.asks)
        #expect(tool.timeoutMilliseconds == 120_000)
    }

    @Test func modelHasWhatTheSpecSays() throws {
        let offer = try offer(#"{"kind":"model","name":"my/model:1","context_tokens":4096,"tools":true}"#)
        #expect(offer.content == .model(HostModel(name: "my/model:1", contextTokens: 4_096, takesTools: true)))
        #expect(offer.kind == .model)
        #expect(!offer.decides)
        guard case .model(let plain) = try self.offer(#"{"kind":"model","name":"m"}"#).content else {
            throw Failure(.internalError, "no model")
        }
        #expect(plain == HostModel(name: "m", contextTokens: nil, takesTools: false))
    }

    @Test(arguments: ["permission", "question"])
    func decisionsNeedNothing(kind: String) throws {
        let offer = try offer(#"{"kind":"\#(kind)"}"#)
        #expect(offer.decides)
        #expect(offer.kind.rawValue == kind)
        #expect(offer.name == "")
    }

    @Test(arguments: [
        "{}", #"{"kind":"cat"}"#, #"{"kind":1}"#, #"{"kind":"tool"}"#, #"{"kind":"tool","name":""}"#,
        #"{"kind":"tool","name":"a b"}"#, #"{"kind":"tool","name":"a.b"}"#, #"{"kind":"tool","name":"é"}"#,
        #"{"kind":"tool","name":"\#(String(repeating: "x", count: 65))"}"#,
        #"{"kind":"tool","name":"t","description":1}"#, #"{"kind":"tool","name":"t","parameters":[]}"#,
        #"{"kind":"tool","name":"t","parameters":{}}"#, #"{"kind":"tool","name":"t","parameters":{"type":"string"}}"#,
        #"{"kind":"tool","name":"t","parameters":{"type":"object","properties":[]}}"#,
        #"{"kind":"tool","name":"t","parameters":{"type":"object","properties":{"a":1}}}"#,
        #"{"kind":"tool","name":"t","parameters":{"type":"object","required":"a"}}"#,
        #"{"kind":"tool","name":"t","permission":"deny"}"#, #"{"kind":"tool","name":"t","permission":true}"#,
        #"{"kind":"tool","name":"t","timeout_ms":0}"#, #"{"kind":"tool","name":"t","timeout_ms":"5"}"#,
        #"{"kind":"model","name":"a b"}"#, #"{"kind":"model","name":"m","context_tokens":-1}"#,
        #"{"kind":"model","name":"m","tools":"yes"}"#,
    ])
    func whatCannotBeIsSaid(spec: String) throws { #expect(try failure(spec).name == .invalidArgument) }

    @Test func unknownMemberIsNamedWithTheKnownOnes() throws {
        let failure = try failure(#"{"kind":"tool","name":"t","params":{}}"#)
        #expect(failure.name == .unknownArgument)
        #expect(failure.message.contains("params"))
        #expect(failure.detail?["argument"]?.string == "params")
        #expect(failure.detail?["known"]?.elements.compactMap(\.string).contains("parameters") ?? false)
        #expect(try self.failure(#"{"kind":"permission","name":"p"}"#).name == .unknownArgument)
    }

    @Test func embeddingsAreNotSupported() throws {
        #expect(try failure(#"{"kind":"embedding","name":"e","dimensions":8}"#).name == .notSupported)
    }
}

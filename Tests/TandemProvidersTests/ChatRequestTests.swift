import TandemJSON
import Testing

@testable import TandemProviders

@Suite struct ChatRequestTests {
    @Test func onlyWhatIsSetIsSent() {
        let request = ModelRequest(model: "m", messages: [ModelMessage(.user, "a \"b\"")])
        let expected =
            #"{"model":"m","messages":[{"role":"user","content":"a \"b\""}],"#
            + #""stream":true,"stream_options":{"include_usage":true}}"#
        #expect(ChatRequest.json(request).text == expected)
    }

    @Test func numbersAreSentAsGiven() throws {
        let request = ModelRequest(model: "m", messages: [], temperature: 0.3, topP: 0.9, maxTokens: 64)
        let json = ChatRequest.json(request)
        #expect(json["temperature"]?.text == "0.3")
        #expect(json["top_p"]?.text == "0.9")
        #expect(json["max_tokens"]?.integer == 64)
    }

    @Test(arguments: ["o1", "o3-mini", "gpt-5.2"]) func reasoningModelsGetNoSamplingParameters(model: String) throws {
        let request = ModelRequest(model: model, messages: [], temperature: 0.3, topP: 0.9, maxTokens: 64)
        let json = ChatRequest.json(request)
        #expect(json["temperature"] == nil)
        #expect(json["max_tokens"] == nil)
        #expect(json["max_completion_tokens"]?.integer == 64)
    }
}

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

    @Test func toolsAreOfferedAndCallsAndResultsStandBesideTheirIds() {
        var request = ModelRequest(
            model: "m",
            messages: [
                ModelMessage(.user, "add"),
                ModelMessage("", calling: [ModelToolCall(id: "c1", name: "my.add", arguments: #"{"a":1}"#)]),
                ModelMessage("2", resultOf: "c1"),
                ModelMessage("Once more.", calling: [ModelToolCall(id: "c2", name: "my.add", arguments: "{}")]),
            ]
        )
        request.tools = [ModelTool(name: "my.add", description: "adds", parameters: .emptyObject)]
        let call = #"{"id":"c1","type":"function","function":{"name":"my_add","arguments":"{\"a\":1}"}}"#
        let again = #"{"id":"c2","type":"function","function":{"name":"my_add","arguments":"{}"}}"#
        let expected =
            #"{"model":"m","messages":[{"role":"user","content":"add"},"#
            + #"{"role":"assistant","content":null,"tool_calls":[\#(call)]},"#
            + #"{"role":"tool","content":"2","tool_call_id":"c1"},"#
            + #"{"role":"assistant","content":"Once more.","tool_calls":[\#(again)]}],"#
            + #""stream":true,"stream_options":{"include_usage":true},"#
            + #""tools":[{"type":"function","function":{"name":"my_add","description":"adds","parameters":{}}}],"#
            + #""tool_choice":"auto"}"#
        #expect(ChatRequest.json(request).text == expected)
        request.mustCall = true
        #expect(ChatRequest.json(request)["tool_choice"]?.string == "required")
    }

    @Test func withoutToolsNothingSpeaksOfThem() {
        var request = ModelRequest(model: "m", messages: [ModelMessage(.user, "a")])
        request.mustCall = true
        let json = ChatRequest.json(request)
        #expect(json["tools"] == nil && json["tool_choice"] == nil)
    }
}

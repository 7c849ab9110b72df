import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct ToolRunsTests {
    static func calls(_ calls: (String, String)..., text: String = "") -> [ModelEvent] {
        (text.isEmpty ? [] : [.text(text)])
            + [
                .toolCalls(
                    calls.enumerated().map { ModelToolCall(id: "call_\($0)", name: $1.0, arguments: $1.1) }
                ), .finished(reason: "tool_calls"),
            ]
    }

    static let done: [ModelEvent] = [.text("Done."), .finished(reason: "stop")]

    @Test func aToolOfTheHostIsCalledAndItsResultGoesToTheModel() throws {
        let host = FakeHost(tools: [.named("add")]) { _ in .success(JSONText(string: "5")) }
        let model = ScriptedModel(answers: [Self.calls(("add", #"{"a":2,"b":3}"#), text: "Let me add."), Self.done])
        let fixture = try EngineFixture(model) { $0.host = host }
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        let run = try fixture.prompt(session, "add 2 and 3")
        let all = try #require(events.wait(for: finished))
        #expect(
            all.dropFirst(9).map(\.type) == [
                "message.part.updated", "provider.usage", "message.part.updated", "tool.args.normalized",
                "message.part.updated", "tool.effect.recorded", "message.part.updated", "tool.effect.recorded",
                "provider.call.iteration.finish", "context.profile.selected", "tool.routing.decision",
                "provider.call.iteration.start", "context.budget.final", "message.part.updated", "provider.usage",
                "provider.call.iteration.finish", "message.part.updated", "session.updated", "session.status", finished,
            ]
        )
        #expect(all.compactMap { $0.properties.at("part", "state")?.string } == ["pending", "running", "completed"])
        #expect(all.dropFirst(2).allSatisfy { $0.envelope?.runID == run })
        let call = try #require(host.call()).call
        #expect(call.name == "add")
        #expect(call.input.text == #"{"a":2,"b":3}"#)
        #expect(call.sessionID == session && call.runID == run)
        #expect(model.request()?.request.tools.map(\.name) == ["add"])
        let messages = try #require(model.request(1)).request.messages
        #expect(
            messages.suffix(3) == [
                ModelMessage(.user, "add 2 and 3"),
                ModelMessage(
                    "Let me add.",
                    calling: [ModelToolCall(id: "call_0", name: "add", arguments: #"{"a":2,"b":3}"#)]
                ),
                ModelMessage("5", resultOf: "call_0"),
            ]
        )
        #expect(try fixture.texts(session).last == "Done.")
        let parts = try fixture.call(.sessionsMessages, session).json?.elements.first?["parts"]?.elements
        #expect(parts?.last?.text == #"{"type":"tool","tool":"add","args":{"a":2,"b":3},"result":"5","error":null}"#)
    }

    @Test func theNextPromptSeesTheCallsAsTheModelMadeThem() throws {
        let host = FakeHost(tools: [.named("add")]) { _ in .success(JSONText(string: "5")) }
        let model = ScriptedModel(answers: [Self.calls(("add", "{}"), text: "Let me."), Self.done])
        let fixture = try EngineFixture(model) { $0.host = host }
        let session = try fixture.session()
        for text in ["first", "second"] {
            _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body(text))
        }
        let within = try #require(model.request(1)).request.messages
        let after = try #require(model.request(2)).request.messages
        #expect(after == within + [ModelMessage(.assistant, "Done."), ModelMessage(.user, "second")])
    }
}

import Glibc
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
        let raw = try fixture.call(.sessionsUpdate, session, "{}").json?["messages"]?.elements.first?["parts"]?.elements
        #expect(raw?.map { $0["type"]?.string } == ["text", "tool_invocation"])
        #expect(raw?.last?["result"]?.string == "5")
    }

    @Test func receiptsOfACallComeToThoseWhoFollowEverything() throws {
        let host = FakeHost(tools: [.named("add")]) { _ in .success(JSONText(string: "5")) }
        let model = ScriptedModel(answers: [Self.calls(("add", #"{"a":2}"#)), Self.done])
        let fixture = try EngineFixture(model) { $0.host = host }
        let session = try fixture.session()
        let (events, _) = fixture.stream()
        let (own, _) = fixture.stream(session: session)
        let run = try fixture.prompt(session)
        let receipts = try #require(events.wait(for: finished)).filter { $0.type == "tool.dispatch.recorded" }
        #expect(
            receipts.map { $0.properties["receipt_phase"]?.string } == ["policy_decision", "invocation", "outcome"]
        )
        let first = try #require(receipts.first)
        #expect(first.envelope?.sessionID == nil && first.envelope?.runID == nil)
        #expect(first.properties.at("source", "session_id")?.string == session)
        #expect(first.properties.at("source", "run_id")?.string == run)
        #expect(Set(receipts.map { $0.properties["dispatch_id"]?.string }).count == 1)
        #expect(first.properties["payload_digest"]?.string?.hasPrefix("sha256:") == true)
        let declared = try Self.declared("tool.dispatch.recorded")
        #expect(Set(first.properties.members.map(\.key)) == declared)
        #expect(own.wait(for: finished)?.contains { $0.type == "tool.dispatch.recorded" } == false)
    }

    /// The properties that the contract lists.
    private static func declared(_ type: String) throws -> Set<String> {
        let path = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
        let fd = open(path + "/contract/events.json", O_RDONLY)
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(fd, &bytes, bytes.count)
        let event = try JSONText(checking: Array(bytes.prefix(max(count, 0)))).at("engine", type)
        return Set(event?["properties"]?.elements.compactMap(\.string) ?? [])
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

    /// An engine whose model calls the tool once, and the run of it.
    private func calling(
        _ host: FakeHost,
        _ tool: String = "add",
        _ change: (inout EngineConfiguration) -> Void = { _ in }
    ) throws -> (fixture: EngineFixture, model: ScriptedModel, session: String, events: Recorder) {
        let model = ScriptedModel(answers: [Self.calls((tool, "{}")), Self.done])
        let fixture = try EngineFixture(model) {
            $0.host = host
            change(&$0)
        }
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        return (fixture, model, session, events)
    }

    @Test func whatTheHostFailsAtIsAResultForTheModel() throws {
        let host = FakeHost(tools: [.named("add")]) { _ in .failure(Failure(.hostFailed, "no more numbers")) }
        let run = try calling(host)
        let last = try #require(run.events.wait(for: finished)?.last)
        #expect(last.properties["status"]?.string == "completed")
        #expect(run.model.request(1)?.request.messages.last?.content == "Error: no more numbers")
    }

    @Test func aToolThatIsWithdrawnWhileTheModelThinksFailsItsCall() throws {
        let host = FakeHost(tools: [.named("add")])
        let model = ScriptedModel(nil)
        let fixture = try EngineFixture(model) { $0.host = host }
        let session = try fixture.session()
        _ = try fixture.prompt(session)
        let asked = try #require(model.request())
        host.state.change { $0.offers = HostOffers() }
        asked.deliver(Self.calls(("add", "{}")))
        let messages = try #require(model.request(1)).request
        #expect(messages.tools.isEmpty)
        #expect(messages.messages.last?.content == "Error: the tool `add` is not offered any more")
    }

    @Test func progressOfAToolIsTold() throws {
        let host = FakeHost(tools: [.named("add")])
        let run = try calling(host)
        let call = try #require(host.call())
        call.receiver.take(chunk: JSONText(string: "half"))
        call.answer(#""5""#)
        let all = try #require(run.events.wait(for: finished))
        let progress = all.compactMap { $0.properties.at("part", "progress")?.string }
        #expect(progress == ["half"])
    }

    @Test func cancellingARunCancelsTheHostsCall() throws {
        let host = FakeHost(tools: [.named("add")])
        let (fixture, model, session, events) = try calling(host)
        let call = try #require(host.call())
        #expect(try fixture.call(.sessionsAbort, session).json?["cancelled"]?.boolean == true)
        #expect(host.state.withLock { $0.cancelled } == [call.id: "cancelled"])
        let all = try #require(events.wait(for: finished))
        #expect(all.last?.properties["status"]?.string == "cancelled")
        #expect(all.compactMap { $0.properties.at("part", "state")?.string } == ["pending", "running", "failed"])
        call.answer(#""late""#)
        _ = try fixture.prompt(session, "and now?")
        let messages = try #require(model.request(1)).request.messages
        #expect(messages.dropLast().last?.content.hasPrefix("Error: the run ended (cancelled) while") == true)
    }

    @Test func closingTheEngineCancelsTheHostsCall() throws {
        let host = FakeHost(tools: [.named("add")])
        let (fixture, _, _, _) = try calling(host)
        _ = try #require(host.call())
        #expect(fixture.engine.close(by: Deadline(afterMilliseconds: 10_000)))
        #expect(host.state.withLock { $0.cancelled.count } == 1)
    }

    @Test func aCallThatEndedIsNotCancelledWithItsRun() throws {
        let host = FakeHost(tools: [.named("add")])
        let model = ScriptedModel(nil)
        let fixture = try EngineFixture(model) { $0.host = host }
        let session = try fixture.session()
        _ = try fixture.prompt(session)
        try #require(model.request()).deliver(Self.calls(("add", "{}")))
        try #require(host.call()).answer(#""5""#)
        _ = try #require(model.request(1))
        _ = try fixture.call(.sessionsAbort, session)
        #expect(host.state.withLock { $0.cancelled.isEmpty })
    }

    @Test func theAllowlistOfAPromptIsNotThatOfTheNext() throws {
        let model = ScriptedModel(text: "Hi")
        let fixture = try EngineFixture(model) { $0.host = FakeHost(tools: [.named("add"), .named("read")]) }
        let session = try fixture.session()
        let bodies = [
            #"{"parts":[],"toolAllowlist":["re*"]}"#, #"{"parts":[]}"#, #"{"parts":[],"toolAllowlist":[]}"#,
            #"{"parts":[],"toolMode":"none"}"#, #"{"parts":[],"tool_mode":"required"}"#,
        ]
        for body in bodies { _ = try fixture.call(.sessionsPromptSync, session, body) }
        let requests = try bodies.indices.map { try #require(model.request($0)).request }
        #expect(requests.map { $0.tools.map(\.name) } == [["read"], ["add", "read"], [], [], ["add", "read"]])
        #expect(requests.map(\.mustCall) == [false, false, false, false, true])
    }

    @Test func theSameKeyWithOtherToolsIsAnotherPrompt() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let session = try fixture.session()
        let statuses = try [#"{"parts":[]}"#, #"{"parts":[],"toolAllowlist":["a"]}"#].map { body in
            var request = EngineFixture.request(.sessionsPromptAsync, session, body)
            request.headers = [Request.Field("Idempotency-Key", "k1")]
            return try fixture.reply(request).status
        }
        #expect(statuses == [202, 409])
    }

    @Test func theToDoListOfASessionIsKept() throws {
        let list = #"{"todos":[{"content":"first","status":"in_progress"},{"content":"second"}]}"#
        let model = ScriptedModel(answers: [Self.calls(("update_todos", list)), Self.done])
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.call(.sessionsPromptAsync, session, #"{"parts":[],"toolAllowlist":["todo_write"]}"#)
        let all = try #require(events.wait(for: finished))
        let kept = try fixture.call(.sessionsTodos, session).json
        #expect(
            kept?.text
                == #"[{"id":"todo-1","content":"first","status":"in_progress"},{"id":"todo-2","content":"second","status":"pending"}]"#
        )
        #expect(all.first { $0.type == "todo.updated" }?.properties["todos"] == kept)
        #expect(model.request(1)?.request.messages.last?.content == "The list has 2 items now.")
    }

    @Test func toolsAreListed() throws {
        let fixture = try EngineFixture(ScriptedModel(nil)) {
            $0.host = FakeHost(tools: [.named("zip"), .named("add")])
        }
        #expect(try fixture.call(.engineListToolIds).json?.text == #"["add","question","todo_write","zip"]"#)
        let first = try fixture.call(.engineListTools).json?.elements.first
        #expect(first?.text == #"{"name":"add","description":"a tool of a test","input_schema":{"type":"object"}}"#)
    }

    @Test func aModelOfTheHostAnswersInItsPieces() throws {
        let host = FakeHost(
            tools: [.named("add")],
            models: [HostModel(name: "mine", contextTokens: 512, takesTools: true)]
        )
        let fixture = try EngineFixture(ScriptedModel(nil)) { $0.host = host }
        let session = try fixture.session(#"{"model":{"providerID":"host","modelID":"mine"}}"#)
        let (events, _) = fixture.stream(session: session)
        let run = try fixture.prompt(session, "hello")
        let call = try #require(host.call())
        #expect(call.call.kind == .model && call.call.name == "mine" && call.call.runID == run)
        #expect(call.call.input["messages"]?.elements.last?["content"]?.string == "hello")
        #expect(call.call.input["tools"]?.elements.count == 1)
        call.receiver.take(chunk: JSONText(string: "Hel"))
        call.receiver.take(chunk: JSONText(string: "lo."))
        call.answer(#"{"finish_reason":"stop"}"#)
        let all = try #require(events.wait(for: finished))
        #expect(all.compactMap { $0.properties["delta"]?.string } == ["hello", "Hel", "lo."])
        #expect(try fixture.texts(session) == ["hello", "Hello."])
        let catalog = try fixture.call(.providersCatalog).json
        let hosted = catalog?["all"]?.elements.first { $0["id"]?.string == "host" }
        #expect(hosted?.at("models", "mine", "limit")?.text == #"{"context":512}"#)
        #expect(catalog?["default"]?.string == "host")
    }

    @Test(arguments: [
        (Failure(.hostFailed, "out of memory"), "HOST_FAILED"), (Failure(.hostTimeout, "too late"), "HOST_TIMEOUT"),
    ]) func aModelOfTheHostThatFailsFailsItsRun(failure: Failure, code: String) throws {
        let host = FakeHost(models: [HostModel(name: "mine", contextTokens: nil, takesTools: false)]) { _ in
            .failure(failure)
        }
        let fixture = try EngineFixture(ScriptedModel(nil)) { $0.host = host }
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        let all = try #require(events.wait(for: finished))
        #expect(all.last?.properties["status"]?.string == "error")
        let error = all.first { $0.type == "session.error" }
        #expect(error?.properties.at("error", "code")?.string == code)
        #expect(error?.properties.at("error", "message")?.string == failure.message)
        #expect(Failure.name(runCode: code, message: "", category: nil) == failure.name)
    }

    @Test func cancellingARunCancelsTheHostsModel() throws {
        let host = FakeHost(models: [HostModel(name: "mine", contextTokens: nil, takesTools: false)])
        let fixture = try EngineFixture(ScriptedModel(nil)) { $0.host = host }
        let session = try fixture.session()
        _ = try fixture.prompt(session)
        let call = try #require(host.call())
        _ = try fixture.call(.sessionsAbort, session)
        #expect(host.state.withLock { $0.cancelled } == [call.id: "cancelled"])
    }

    @Test func deletingASessionForgetsItsTools() throws {
        let folder = Folder()
        let model = ScriptedModel(answers: [Self.calls(("todo_write", #"{"todos":["a"]}"#)), Self.done])
        var configuration = EngineFixture.configuration(model)
        configuration.state = .directory(folder.path + "/state")
        let fixture = try EngineFixture(configuration)
        let session = try fixture.session()
        _ = try fixture.call(.sessionsPromptSync, session, #"{"parts":[],"toolAllowlist":["todo_write"]}"#)
        #expect(try fixture.call(.sessionsDelete, session).json?["deleted"]?.boolean == true)
        #expect(try fixture.call(.sessionsTodos, session).status == 404)
    }
}

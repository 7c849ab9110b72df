import Glibc
import TandemContract
import TandemJSON
import TandemProviders
import TandemStore
import TandemSystem
import Testing

@testable import TandemEngine

/// What a process that was killed in the middle of a tool call leaves behind.
@Suite struct ToolCrashTests {
    private func configuration(_ folder: Folder, _ model: ScriptedModel, _ host: FakeHost) -> EngineConfiguration {
        var configuration = EngineFixture.configuration(model)
        configuration.state = .directory(folder.path + "/state")
        configuration.host = host
        return configuration
    }

    /// The files as they are now, in a place of their own.
    private func crashed(_ folder: Folder) -> Folder {
        let copy = Folder()
        mkdir(copy.path + "/state", 0o700)
        for name in ["tandem.db", "tandem.db-wal"] { copy.write("state/" + name, folder.read("state/" + name)) }
        return copy
    }

    @Test func aCallThatWasBegunIsMarkedAndNotMadeAgain() throws {
        let folder = Folder()
        let host = FakeHost(tools: [.named("pay")])
        let call = ToolRunsTests.calls(("pay", #"{"n":1}"#), text: "I pay.")
        let first = try EngineFixture(configuration(folder, ScriptedModel(answers: [call]), host))
        let session = try first.session()
        let run = try first.prompt(session, "pay")
        _ = try #require(host.call())

        let copy = crashed(folder)
        let other = FakeHost(tools: [.named("pay")])
        let model = ScriptedModel(text: "I do not know.")
        let second = try EngineFixture(configuration(copy, model, other))
        let (events, _) = second.stream(run: run)
        #expect(try #require(events.waitForEnd()).get() == nil)
        let all = events.state.withLock { $0.events }
        let parts = all.filter { $0.properties.at("part", "type")?.string == "tool" }
        #expect(parts.compactMap { $0.properties.at("part", "state")?.string } == ["pending", "running", "failed"])
        #expect(parts.last?.properties.at("part", "messageID") == parts.first?.properties.at("part", "messageID"))
        let effects = all.filter { $0.type == "tool.effect.recorded" }
        #expect(effects.last?.properties.at("record", "status")?.string == "unknown")
        #expect(all.last?.properties["status"]?.string == "error")
        let messages = try second.call(.sessionsMessages, session).json?.elements
        #expect(messages?.first?["parts"]?.elements.last?["error"]?.string?.contains("is not known") == true)
        #expect(try second.texts(session).count == 2)

        _ = try second.call(.sessionsPromptSync, session, EngineFixture.body("did you?"))
        let asked = try #require(model.request()).request.messages
        #expect(
            asked.dropFirst(2).first
                == ModelMessage("I pay.", calling: [ModelToolCall(id: "call_0", name: "pay", arguments: #"{"n":1}"#)])
        )
        #expect(asked.dropFirst(3).first?.content.contains("whether it had an effect is not known") == true)
        #expect(other.state.withLock { $0.asked.isEmpty })
    }

    @Test func aPermissionThatWasWaitedForIsSettled() throws {
        let folder = Folder()
        let host = FakeHost(tools: [.named("pay", asks: true)])
        let first = try EngineFixture(
            configuration(folder, ScriptedModel(answers: [ToolRunsTests.calls(("pay", "{}"))]), host)
        )
        let session = try first.session()
        let (events, _) = first.stream(session: session)
        _ = try first.prompt(session)
        _ = try #require(events.wait(for: "permission.asked"))

        let copy = crashed(folder)
        let second = try EngineFixture(configuration(copy, ScriptedModel(text: "Hi"), host))
        let list = try second.call(.permissionsList).json
        let request = try #require(list?["requests"]?.elements.first)
        #expect(request["status"]?.string == "runtime_restarted")
        #expect(list?["decisions"]?.elements.first?["decidedBy"]?.string == "system")
        let reply = try second.reply(
            Request(
                .permissionsReply,
                path: [Request.Field("request_id", request["id"]?.string ?? "")],
                body: JSONText(trusted: Array(#"{"reply":"once"}"#.utf8))
            )
        )
        #expect(reply.status == 409)
        #expect(host.state.withLock { $0.asked.isEmpty })
    }

    @Test func aQuestionThatNobodyWaitsForIsGone() throws {
        let folder = Folder()
        let host = FakeHost(answersQuestions: true)
        let call = ToolRunsTests.calls(("question", #"{"question":"Which?"}"#))
        let first = try EngineFixture(configuration(folder, ScriptedModel(answers: [call]), host))
        let session = try first.session()
        let (events, _) = first.stream(session: session)
        _ = try first.prompt(session)
        _ = try #require(events.wait(for: "question.asked"))

        let copy = crashed(folder)
        let second = try EngineFixture(configuration(copy, ScriptedModel(text: "Hi"), host))
        #expect(try second.call(.questionsList).json?.elements.isEmpty == true)
        #expect(try second.texts(session).last?.hasPrefix("ENGINE_ERROR: INTERRUPTED") == true)
    }

    @Test func aStateOfTheFirstVersionGetsItsNewTables() throws {
        let folder = Folder()
        mkdir(folder.path + "/state", 0o700)
        let all = Sessions.migrations + Runs.migrations + Events.migrations + Config.migrations
        let first = Migrator(application: Schema.application, all.filter { $0.version == 1 })
        let old = try Database(path: folder.path + "/state/tandem.db").openWriter(first, .process)
        try old.run(
            """
            INSERT INTO sessions (id, title, directory, workspace_root, has_directory, project_id, created_ms, updated_ms,
                archived, source_kind, source, permission, search, wire)
            VALUES ('old', 't', '/', '/', 0, 'p', 1, 1, 0, 'chat', 'chat', ?, '', ?)
            """,
            .blob(Array(#"[{"permission":"pay","pattern":"pay","action":"allow"}]"#.utf8)),
            .blob(Array(#"{"id":"old","messages":["#.utf8))
        )
        old.close()

        let host = FakeHost(tools: [.named("pay", asks: true)]) { _ in .success(JSONText(string: "paid")) }
        let model = ScriptedModel(answers: [ToolRunsTests.calls(("pay", "{}")), ToolRunsTests.done])
        let fixture = try EngineFixture(configuration(folder, model, host))
        _ = try fixture.call(.sessionsPromptSync, "old", EngineFixture.body("pay"))
        #expect(try fixture.texts("old").last == "Done.")
        #expect(host.state.withLock { $0.asked.count } == 1)
        #expect(try fixture.call(.permissionsList).json?["rules"]?.elements.count == 1)
    }

    @Test func rulesAndListsSurvive() throws {
        let folder = Folder()
        let host = FakeHost()
        let call = ToolRunsTests.calls(("todo_write", #"{"todos":["a"]}"#))
        let first = try EngineFixture(
            configuration(folder, ScriptedModel(answers: [call, ToolRunsTests.done]), host)
        )
        let session = try first.session(#"{"permission":[{"permission":"todo_write","action":"allow"}]}"#)
        _ = try first.call(.sessionsPromptSync, session, #"{"parts":[],"toolAllowlist":["todo_write"]}"#)

        let copy = crashed(folder)
        let second = try EngineFixture(configuration(copy, ScriptedModel(text: "Hi"), host))
        #expect(try second.call(.sessionsTodos, session).json?.elements.count == 1)
        #expect(try second.call(.permissionsList).json?["rules"]?.elements.count == 1)
    }

    @Test func aStateThatTakesNothingEndsTheRunAndCancelsTheCall() throws {
        let folder = Folder()
        let host = FakeHost(tools: [.named("big")])
        var configuration = configuration(folder, ScriptedModel(answers: [ToolRunsTests.calls(("big", "{}"))]), host)
        configuration.maximumPages = 90
        let fixture = try EngineFixture(configuration)
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        let call = try #require(host.call())
        call.receiver.end(.success(JSONText(string: String(repeating: "x", count: 500_000))))
        let last = try #require(events.wait(for: finished)?.last)
        #expect(last.properties["status"]?.string == "error")
        #expect(try fixture.call(.sessionsCreate, nil, "{}").status == 200)
        let parts = try fixture.call(.sessionsMessages, session).json?.elements.first?["parts"]?.elements
        #expect(parts?.last?["error"]?.string?.contains("took nothing") == true)
    }
}

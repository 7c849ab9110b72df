import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct RunsTests {
    @Test func aTextRunTellsItsEventsInOrder() throws {
        let model = ScriptedModel([
            .text("Hello "), .text("there"), .usage(ModelUsage(prompt: 3, completion: 2, total: 5)),
            .finished(reason: "stop"),
        ])
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        let run = try fixture.prompt(session, "say hi")
        let all = try #require(events.wait(for: finished))
        #expect(
            all.map(\.type) == [
                "server.connected", "engine.lifecycle.ready", "session.run.started", "session.status",
                "message.part.updated", "context.profile.selected", "tool.routing.decision",
                "provider.call.iteration.start", "context.budget.final", "message.part.updated",
                "message.part.updated", "provider.usage", "provider.call.iteration.finish", "message.part.updated",
                "session.updated", "session.status", finished,
            ]
        )
        let seqs = all.compactMap { $0.envelope?.seq }
        #expect(seqs == Array(Int64(2)..<Int64(2 + seqs.count)))
        #expect(all.dropFirst(2).allSatisfy { $0.envelope?.runID == run && $0.envelope?.sessionID == session })
        #expect(all[4].properties["agent"]?.string == "build")
        #expect(all[4].properties["delta"]?.string == "say hi")
        #expect(all[9].properties["delta"]?.string == "Hello ")
        #expect(all[11].properties["usageSource"]?.string == "provider")
        #expect(all[13].properties.at("part", "text")?.string == "Hello there")
        #expect(all[16].properties["status"]?.string == "completed")
        #expect(try fixture.texts(session) == ["say hi", "Hello there"])
        #expect(try fixture.call(.sessionsGet, session).json?["title"]?.string == "say hi")
    }

    @Test func theModelSeesSystemHistoryAndPrompt() throws {
        let model = ScriptedModel(text: "One.")
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        for (index, text) in ["first", "second"].enumerated() {
            _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body(text))
            let messages = try #require(model.request(index)).request.messages
            #expect(messages.first?.role == .system)
            #expect(messages.last == ModelMessage(.user, text))
            #expect(messages.count == 2 + 2 * index)
        }
    }

    @Test func aRunOfASilentModelIsCancelledAtOnce() throws {
        let model = ScriptedModel(nil)
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        try #require(model.request()).deliver([.text("half an ")])
        _ = events.wait(for: "message.part.updated", count: 2)
        #expect(try fixture.call(.sessionsAbort, session).json?["cancelled"]?.boolean == true)
        let last = try #require(events.wait(for: finished)?.last)
        #expect(last.properties["status"]?.string == "cancelled")
        #expect(try fixture.call(.sessionsActiveRun, session).json?["active"]?.isNull == true)
        #expect(try fixture.texts(session) == ["hi", "half an "])
        #expect(try fixture.call(.sessionsAbort, session).json?["cancelled"]?.boolean == false)
        #expect(events.types.count { $0 == finished } == 1)
    }

    @Test(arguments: [
        (ModelFailure(.authentication, "bad key", status: 401), "AUTHENTICATION_ERROR", "authentication"),
        (ModelFailure(.rateLimited, "slow down", status: 429), "RATE_LIMIT_EXCEEDED", "provider"),
        (ModelFailure(.provider, "broke", status: 500), "PROVIDER_SERVER_ERROR", "provider"),
        (ModelFailure(.contextLength, "too long", status: 400), "CONTEXT_LENGTH_EXCEEDED", "provider"),
    ])
    func aFailedCallEndsTheRunWithItsKind(failure: ModelFailure, code: String, category: String) throws {
        let model = ScriptedModel([.text("so far"), .failed(failure)])
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        let all = try #require(events.wait(for: finished))
        #expect(
            all.suffix(7).map(\.type) == [
                "provider.call.iteration.error", "session.updated", "session.status", "session.error",
                "session.status", "session.updated", finished,
            ]
        )
        #expect(all[all.count - 4].properties.at("error", "code")?.string == code)
        #expect(all.last?.properties["failureCategory"]?.string == category)
        #expect(try fixture.texts(session) == ["hi", "so far", "ENGINE_ERROR: \(code): \(failure.message)"])
    }

    @Test func aNoticeOfFailureIsNotShownToTheModel() throws {
        let model = ScriptedModel([.failed(ModelFailure(.provider, "broke"))])
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        for _ in 0..<2 { _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hi")) }
        let messages = try #require(model.request(1)).request.messages
        #expect(messages.map(\.content).dropFirst() == ["hi", "hi"])
    }

    @Test func aBusySessionRefusesASecondPrompt() throws {
        let model = ScriptedModel(nil)
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        let run = try fixture.prompt(session)
        let reply = try fixture.call(.sessionsPromptAsync, session, EngineFixture.body("again"))
        #expect(reply.status == 409)
        #expect(reply.json?["code"]?.string == "SESSION_RUN_CONFLICT")
        #expect(reply.json?.at("activeRun", "runID")?.string == run)
        #expect(reply.json?.at("activeRun", "clientID")?.isNull == true)
        let active = try fixture.call(.sessionsActiveRun, session)
        #expect(active.json?.at("active", "runID")?.string == run)
        #expect(active.json?.at("active", "clientID") == nil)
        #expect(active.json?["contextRunID"]?.string == "session-\(session)")
    }

    @Test func theSameKeyGivesTheSameRun() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let session = try fixture.session()
        func prompt(_ text: String) throws -> Reply {
            var request = EngineFixture.request(.sessionsPromptAsync, session, EngineFixture.body(text))
            request.headers = [Request.Field("Idempotency-Key", "k1")]
            return try fixture.reply(request)
        }
        let first = try prompt("hi")
        #expect(first.headers == [Request.Field("x-tandem-run-id", first.json?["runID"]?.string ?? "")])
        let second = try prompt("hi")
        #expect(second.status == 202)
        #expect(second.json?["idempotentReplay"]?.boolean == true)
        #expect(second.json?["runID"] == first.json?["runID"])
        let other = try prompt("something else")
        #expect(other.status == 409)
        #expect(other.json?["activeRun"] == nil)
    }

    @Test func aSynchronousPromptAnswersAllMessages() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hello"))
        let session = try fixture.session()
        let reply = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hi"))
        #expect(reply.status == 200)
        #expect(reply.json?.elements.map(MessageStore.text) == ["hi", "Hello"])
    }

    @Test func aStartedSynchronousPromptStreamsItsRunAndEndsWithTheReply() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hello"))
        let session = try fixture.session()
        let recorder = Recorder()
        let request = EngineFixture.request(.sessionsPromptSync, session, EngineFixture.body("hi"))
        fixture.engine.start(request, Call(deadline: .never), into: recorder)
        let reply = try #require(recorder.waitForEnd()).get()
        #expect(recorder.types.first == "session.run.started")
        #expect(recorder.types.last == finished)
        #expect(reply?.json?.elements.count == 2)
    }

    @Test func whoeverCancelsASynchronousPromptCancelsItsRun() throws {
        let model = ScriptedModel(nil)
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        let recorder = Recorder()
        let call = Call(deadline: .never)
        fixture.engine.start(
            EngineFixture.request(.sessionsPromptSync, session, EngineFixture.body("hi")),
            call,
            into: recorder
        )
        _ = model.request()
        call.cancel()
        guard case .failure(let failure)? = recorder.waitForEnd() else {
            Issue.record("no failure")
            return
        }
        #expect(failure.name == .cancelled)
        #expect(failure.detail?["run_cancelled"]?.boolean == true)
        #expect(recorder.types.last == finished)
        #expect(try fixture.call(.sessionsActiveRun, session).json?["active"]?.isNull == true)
    }

    @Test func aSynchronousPromptThatTakesTooLongCancelsItsRun() throws {
        let fixture = try EngineFixture(ScriptedModel(nil))
        let session = try fixture.session()
        let request = EngineFixture.request(.sessionsPromptSync, session, EngineFixture.body("hi"))
        guard case .failure(let failure) = fixture.answer(request, milliseconds: 500) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.name == .timeout)
        #expect(failure.detail?["run_cancelled"]?.boolean == true)
        #expect(try fixture.call(.sessionsActiveRun, session).json?["active"]?.isNull == true)
    }

    @Test func deletingABusySessionStopsItsRunFirst() throws {
        let fixture = try EngineFixture(ScriptedModel(nil))
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        let run = try fixture.prompt(session)
        let reply = try fixture.call(.sessionsDelete, session)
        #expect(reply.json?["deleted"]?.boolean == false)
        #expect(reply.json?["reason"]?.string == "active_run")
        #expect(reply.json?.at("activeRun", "runID")?.string == run)
        #expect(events.wait(for: finished)?.map(\.type).contains("session.delete.deferred") == true)
        #expect(try fixture.call(.sessionsDelete, session).json?["deleted"]?.boolean == true)
        #expect(try fixture.call(.sessionsGet, session).status == 404)
    }

    @Test func cancellingAnotherRunDoesNothing() throws {
        let fixture = try EngineFixture(ScriptedModel(nil))
        let session = try fixture.session()
        let run = try fixture.prompt(session)
        func cancel(_ id: String) throws -> Reply {
            var request = EngineFixture.request(.sessionsCancelRun, session)
            request.path.append(Request.Field("run_id", id))
            return try fixture.reply(request)
        }
        #expect(try cancel("other").json?.text == #"{"ok":true,"cancelled":false}"#)
        #expect(try cancel(run).json?["cancelled"]?.boolean == true)
    }

    @Test(arguments: [
        ("{", 415), (#"[]"#, 422), (#"{"parts":"text"}"#, 422), (#"{"parts":[{"type":"text"}]}"#, 422),
        (#"{"parts":[{"type":"image"}]}"#, 422), (#"{"parts":[],"model":{"providerID":"x"}}"#, 422),
        (#"{"contextMode":"huge"}"#, 422), (#"{"temperature":"hot"}"#, 422), (#"{"max_tokens":-1}"#, 422),
    ])
    func badBodiesAreRefused(body: String, status: Int) throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let session = try fixture.session()
        #expect(try fixture.call(.sessionsPromptAsync, session, body).status == status)
    }

    @Test func unknownSessionsAreNotFound() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let reply = try fixture.call(.sessionsPromptAsync, "nope", "{}")
        #expect(reply.status == 404)
        #expect(reply.json?["code"]?.string == "SESSION_NOT_FOUND")
        for operation in [
            OperationNumber.sessionsGet, .sessionsMessages, .sessionsTodos, .sessionsActiveRun, .sessionsAbort,
        ] {
            #expect(try fixture.call(operation, "nope") == .empty(404))
        }
    }

    @Test func anUnknownProviderFailsTheRun() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        let body = #"{"parts":[],"model":{"providerID":"nobody","modelID":"m"}}"#
        _ = try fixture.call(.sessionsPromptAsync, session, body)
        let last = try #require(events.wait(for: finished)?.last)
        #expect(last.properties["failureCategory"]?.string == "missing_connection")
    }

    @Test func withoutAnyProviderTheEchoAnswers() throws {
        let fixture = try EngineFixture(ScriptedModel(nil)) { $0.makeModel = nil }
        let session = try fixture.session()
        let reply = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hello"))
        #expect(reply.json?.elements.last.map(MessageStore.text)?.contains("hello") == true)
    }
}

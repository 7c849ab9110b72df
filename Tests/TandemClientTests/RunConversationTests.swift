import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// `sessions.run` on an engine that the test plays.
@Suite final class RunConversationTests {
    private let fixture: ClientFixture
    private var client: Client { fixture.client }
    private var backend: FakeBackend { fixture.backend }

    init() throws { fixture = try ClientFixture { $0.stopMilliseconds = 2_000 } }

    private func begin(_ more: String = "", in fixture: ClientFixture? = nil) throws -> UInt64 {
        try (fixture ?? self.fixture).submit("sessions.run", #"{"session_id":"s","prompt":"hi"\#(more)}"#)
    }

    /// A run that the engine has taken; gives its two streams: the one that acts, and the one that is shown.
    private func following(_ more: String = "", in other: ClientFixture? = nil) throws
        -> (id: UInt64, heard: FakeBackend.Started, shown: FakeBackend.Started)
    {
        let id = try begin(more, in: other)
        let backend = (other ?? fixture).backend
        let reply = Reply.json(try JSONText(checking: #"{"runID":"r"}"#), status: 202)
        try #require(backend.started("sessions.prompt_async").first).sink.end(.success(reply))
        let streams = backend.started("engine.stream")
        try #require(streams.count == 2)
        return (id, streams[0], streams[1])
    }

    private func event(_ type: String, _ properties: String = "{}") throws -> EngineEvent {
        EngineEvent(type: type, properties: try JSONText(checking: properties))
    }

    private func until(_ condition: () -> Bool) -> Bool {
        let end = Deadline(afterMilliseconds: 10_000)
        while !condition(), !end.hasPassed { _ = try? fixture.pump(0, 10) }
        return condition()
    }

    @Test func runIsFollowedByTwoStreamsOfItsOwn() throws {
        let (id, heard, shown) = try following(#","$tag":7"#)
        for stream in [heard, shown] {
            #expect(stream.request.query("sessionID") == "s")
            #expect(stream.request.query("runID") == "r")
        }
        let events = [
            try EngineEvent.delta("a"), try event("message.part.updated", #"{"part":{"type":"text","text":"whole"}}"#),
            try event("session.run.finished", #"{"status":"completed"}"#),
        ]
        #expect(heard.sink.take(events[...]) == 3)
        #expect(try fixture.next() == [], "what is heard is not what is shown")
        #expect(shown.sink.take(events[...]) == 3)
        #expect(try fixture.next() == ["session.response", "session.message", "run.completed"])
        #expect(client.state.withLock { $0.running[id] != nil }, "it goes on until all is shown")
        shown.sink.end(.success(nil))
        let done = try #require(fixture.nextEvents().first)
        #expect(done.at("result", "ok", "text")?.string == "whole")
        #expect(done["tag"]?.integer == 7)
        #expect(heard.call.isCancelled)
        #expect(client.state.withLock { $0.conversations } == 0)
    }

    @Test func permissionIsAnsweredThoughNobodyTakesEvents() throws {
        let other = try ClientFixture { $0.queueBytes = 1 }
        let (_, heard, shown) = try following(#","permissions":{"default":"allow"}"#, in: other)
        let events = [
            EngineEvent.todo, .todo, .todo, try event("permission.asked", #"{"requestID":"p","tool":"bash"}"#),
        ]
        #expect(shown.sink.take(events[...]) == 1)
        #expect(heard.sink.take(events[...]) == 4)
        let reply = try #require(other.backend.started("permissions.reply").first)
        #expect(reply.request.body?.text == #"{"reply":"once"}"#)
        reply.sink.end(.success(.empty(200)))
        let resumed = Lock(0)
        shown.call.whenResumed { resumed.withLock { $0 += 1 } }
        #expect(try other.next() == ["todo.updated"])
        #expect(resumed.withLock { $0 } == 1, "the stream that is shown goes on when there is room")
    }

    @Test func ownerOfTheSessionsHostCallsIsTheRun() throws {
        let id = try begin()
        #expect(client.state.withLock { $0.owners.owner(of: "s") } == id)
        #expect(client.state.withLock { $0.owners.isAnswered("s") })
        try backend.end(.success(.refusal(404, code: "SESSION_NOT_FOUND", message: "no")))
        #expect(try fixture.nextEvents().first?["result"]?.errorName == "not_found")
        #expect(client.state.withLock { $0.owners.owner(of: "s") } == nil)
    }

    @Test func hostIsAskedForThisOperation() throws {
        let function = HostFunction(function: 21, context: 22, drop: 23)
        _ = try client.provide(JSONText(checking: #"{"kind":"permission"}"#), function).get()
        let id = try begin()
        let reply = Reply.json(try JSONText(checking: #"{"runID":"r"}"#), status: 202)
        try #require(backend.started("sessions.prompt_async").first).sink.end(.success(reply))
        let stream = try #require(backend.started("engine.stream").first { $0.request.query("runID") == "r" })
        let asked = try event("permission.asked", #"{"requestID":"p","tool":"bash","args":{"command":"ls"}}"#)
        #expect(stream.sink.take([asked]) == 1)
        #expect(until { !fixture.host.calls.isEmpty })
        let call = try #require(fixture.host.calls.first)
        #expect(call["op"]?.integer == Int64(id))
        #expect(call.at("input", "args", "command")?.string == "ls")
        let number = UInt64(try #require(call["call"]?.integer))
        #expect(client.reply(number, .success(try JSONText(checking: #"{"ok":"always"}"#))) == 0)
        #expect(until { !backend.started("permissions.reply").isEmpty })
        #expect(backend.started("permissions.reply").first?.request.body?["reply"]?.string == "always")
    }

    @Test func answerOfTheHostsOwnIsHeardOf() throws {
        let (_, heard, shown) = try following(#","questions":{"default":"manual"}"#)
        let events = [
            try event("question.asked", #"{"id":"q","questions":[{"question":"Which?"}]}"#),
            try event("session.run.finished", #"{"status":"completed"}"#),
        ]
        #expect(heard.sink.take(events[...]) == 2)
        shown.sink.end(.success(nil))
        backend.answers { _, _ in .success(.empty(200)) }
        _ = try fixture.call("questions.answer", #"{"session_id":"s","question_id":"other","answer":"no"}"#)
        #expect(backend.started("sessions.prompt_async").count == 1)
        _ = try fixture.call("questions.answer", #"{"session_id":"s","question_id":"q","answer":"mine"}"#)
        let prompts = backend.started("sessions.prompt_async")
        #expect(prompts.count == 2)
        #expect(prompts.last?.request.body?["parts"]?.text == #"[{"type":"text","text":"mine"}]"#)
    }

    @Test func refusedAnswerSettlesNothing() throws {
        let (_, heard, _) = try following(#","questions":{"default":"manual"}"#)
        let events = [
            try event("question.asked", #"{"id":"q","questions":[]}"#),
            try event("session.run.finished", #"{"status":"completed"}"#),
        ]
        _ = heard.sink.take(events[...])
        backend.answers { _, _ in .success(.refusal(404, code: "APPROVAL_REQUEST_NOT_FOUND", message: "no")) }
        _ = try fixture.call("questions.answer", #"{"session_id":"s","question_id":"q","answer":"mine"}"#)
        #expect(backend.started("sessions.prompt_async").count == 1)
    }

    @Test func cancelTakesTheRunAlong() throws {
        let (id, heard, shown) = try following()
        #expect(client.cancel(id) == .asked)
        let cancel = try #require(backend.started("sessions.cancel_run").first)
        #expect(cancel.request.path("run_id") == "r")
        #expect(try fixture.next() == [], "its answer is waited for")
        cancel.sink.end(.success(.json(try JSONText(checking: #"{"cancelled":true}"#))))
        let done = try #require(fixture.nextEvents().first?["result"])
        #expect(done.errorName == "cancelled")
        #expect(done.at("error", "detail")?.text == #"{"sent":true,"run_cancelled":true}"#)
        #expect(heard.call.isCancelled && shown.call.isCancelled)
        heard.sink.end(.failure(Failure(.cancelled, "late")))
        shown.sink.end(.failure(Failure(.cancelled, "late")))
        #expect(client.cancel(id) == .over)
    }

    @Test func engineThatDoesNotAnswerIsNotWaitedFor() throws {
        let (id, _, _) = try following()
        _ = client.cancel(id)
        let result = try fixture.wait(id)
        #expect(result.errorName == "cancelled")
        #expect(result.at("error", "detail", "run_cancelled")?.boolean == false)
        #expect(until { client.state.withLock { $0.conversations } == 0 })
    }

    @Test func deadlineIsATimeout() throws {
        let id = try begin(#","$timeout_ms":20"#)
        #expect(until { client.state.withLock { $0.running[id]?.stopsAs == .timeout } })
        try backend.end(.failure(Failure(.cancelled, "stopped")))
        #expect(until { !backend.started("sessions.abort").isEmpty })
        try backend.end(.success(.json(try JSONText(checking: #"{"cancelled":false}"#))))
        #expect(try fixture.wait(id).errorName == "timeout")
    }

    @Test func closeWaitsForTheRunToBeCancelled() throws {
        _ = try following()
        #expect(try fixture.close(0) == FailureName.pending.code)
        let cancel = try #require(backend.started("sessions.cancel_run").first)
        #expect(!backend.isClosed)
        cancel.sink.end(.success(.json(try JSONText(checking: #"{"cancelled":true}"#))))
        #expect(try fixture.close() == 0)
        #expect(backend.isClosed)
    }

    @Test func streamThatGaveEnoughEndsTheRun() throws {
        let (id, _, shown) = try following(#","$take":2"#)
        #expect(shown.sink.take([.todo, .todo, .todo]) == 3)
        #expect(try fixture.wait(id).text == #"{"ok":{"ended":false}}"#)
        #expect(backend.started("sessions.cancel_run").count == 1)
    }

    @Test func eventsCarryTheStateAndAreJoined() throws {
        let (_, _, shown) = try following(#","fold":true,"coalesce_ms":10000"#)
        #expect(shown.sink.take([try .delta("a"), try .delta("b"), .todo]) == 3)
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["session.response", "todo.updated"])
        #expect(events.map { $0.at("state", "text")?.string } == ["ab", "ab"])
    }
}

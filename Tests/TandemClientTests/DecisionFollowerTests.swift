import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// How a host's decisions find their way, on an engine that the test plays.
@Suite final class DecisionFollowerTests {
    private let fixture: ClientFixture
    private let function = HostFunction(function: 21, context: 22, drop: 23)

    private var host: FakeHost { fixture.host }
    private var client: Client { fixture.client }

    init() throws { fixture = try ClientFixture() }

    private func provide(_ kind: String, _ timeout: Int = 60_000) throws -> UInt64 {
        try client.provide(JSONText(checking: #"{"kind":"\#(kind)","timeout_ms":\#(timeout)}"#), function).get()
    }

    /// The latest request of that operation, once there are so many.
    private func request(_ name: String, _ count: Int = 1) throws -> FakeBackend.Started {
        let number = try #require(TandemContract.Operation.named(name)).number
        let end = Deadline(afterMilliseconds: 10_000)
        while !end.hasPassed {
            let found = fixture.backend.started.filter { $0.request.operation == number }
            if found.count >= count { return try #require(found.last) }
            settle()
        }
        return try #require(nil as FakeBackend.Started?, "\(name) was not called")
    }

    private func count(_ name: String) throws -> Int {
        settle()
        let number = try #require(TandemContract.Operation.named(name)).number
        return fixture.backend.started.filter { $0.request.operation == number }.count
    }

    private func settle() {
        let isDone = Monitor(false)
        guard fixture.loop.post({ isDone.change { $0 = true } }) else { return }
        _ = isDone.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
    }

    private func push(_ stream: FakeBackend.Started, _ type: String, _ properties: String) throws {
        let event = EngineEvent(type: type, properties: try JSONText(checking: properties))
        #expect(stream.sink.take([event]) == 1)
        settle()
    }

    /// A stream that is open, with nothing pending.
    private func connected(_ kind: String = "permission") throws -> FakeBackend.Started {
        _ = try provide(kind)
        let stream = try request("engine.stream")
        try push(stream, "engine.lifecycle.ready", "{}")
        let list = try request(kind + "s.list")
        list.sink.end(.success(.json(try JSONText(checking: kind == "permission" ? #"{"requests":[]}"# : "[]"))))
        settle()
        return stream
    }

    private let asked = #"{"sessionID":"s","requestID":"p","tool":"bash","args":{},"requestedAtMs":1}"#

    @Test func decisionOfTheHostIsPassedOn() throws {
        let stream = try connected()
        #expect(stream.request.query.isEmpty, "all events are followed")
        try push(stream, "permission.asked", asked)
        #expect(try fixture.pump(1, 10_000) == 1)
        let call = try #require(host.calls.first)
        #expect(call["kind"]?.string == "permission")
        #expect(call["name"]?.string == "bash")
        #expect(call.at("input", "request_id")?.string == "p")
        let id = UInt64(try #require(call["call"]?.integer))
        #expect(client.reply(id, .success(try JSONText(checking: #"{"ok":"always"}"#))) == 0)
        let reply = try request("permissions.reply")
        #expect(reply.request.path("request_id") == "p")
        #expect(reply.request.body?.text == #"{"reply":"always"}"#)
        try push(stream, "permission.replied", #"{"requestID":"p"}"#)
        #expect(try fixture.pump() == 0)
    }

    @Test func hostThatDoesNotAnswerRefuses() throws {
        _ = try provide("permission", 30)
        let stream = try request("engine.stream")
        try push(stream, "permission.asked", asked)
        #expect(try request("permissions.reply").request.body?.text == #"{"reply":"reject"}"#)
    }

    @Test func aRequestMaySayAnyMomentOfItsExpiry() throws {
        _ = try provide("permission")
        let stream = try request("engine.stream")
        let asked = #"{"sessionID":"s","requestID":"p","tool":"bash","args":{},"expiresAtMs":\#(Int64.min)}"#
        try push(stream, "permission.asked", asked)
        #expect(try request("permissions.reply").request.body?.text == #"{"reply":"reject"}"#, "it is over at once")
    }

    @Test func whatIsDecidedElsewhereIsTakenBack() throws {
        let stream = try connected()
        try push(stream, "permission.asked", asked)
        #expect(try fixture.pump(1, 10_000) == 1)
        try push(stream, "permission.replied", #"{"requestID":"p","reply":"once"}"#)
        #expect(try fixture.pump(1, 10_000) == 1)
        #expect(host.calls.last?["type"]?.string == "host.cancel")
        #expect(host.calls.last?["reason"]?.string == "resolved")
        #expect(try count("permissions.reply") == 0)
    }

    @Test func sessionThatAnOperationAnswersIsLeftToIt() throws {
        let stream = try connected()
        client.change { $0.owners.begin(9, session: "s", ownsRun: true, answers: true) }
        try push(stream, "permission.asked", asked)
        #expect(try fixture.pump() == 0)
    }

    @Test func requestsThatWaitAlreadyAreAsked() throws {
        _ = try provide("question")
        let stream = try request("engine.stream")
        try push(stream, "engine.lifecycle.ready", "{}")
        let list = #"[{"id":"q","sessionID":"s","questions":[{"question":"Why?"}]}]"#
        try request("questions.list").sink.end(.success(.json(try JSONText(checking: list))))
        #expect(try fixture.pump(1, 10_000) == 1)
        let call = try #require(host.calls.first)
        #expect(call.at("input", "questions")?.elements.count == 1)
        let id = UInt64(try #require(call["call"]?.integer))
        #expect(client.reply(id, .success(try JSONText(checking: #"{"ok":["so","it"]}"#))) == 0)
        let answer = try request("questions.answer").request
        #expect(answer.path("session_id") == "s")
        #expect(answer.path("question_id") == "q")
        #expect(answer.body?.text == #"{"answer":"so\nit"}"#)
    }

    @Test func questionThatTheHostDoesNotAnswerIsDismissed() throws {
        let stream = try connected("question")
        try push(stream, "question.asked", #"{"sessionID":"s","id":"q","questions":[]}"#)
        #expect(try fixture.pump(1, 10_000) == 1)
        let id = UInt64(try #require(host.calls.first?["call"]?.integer))
        #expect(client.reply(id, .success(try JSONText(checking: #"{"error":{"message":"no"}}"#))) == 0)
        #expect(try request("questions.reject").request.path("question_id") == "q")
    }

    @Test func streamThatBreaksIsOpenedAgain() throws {
        let stream = try connected()
        stream.sink.end(.failure(Failure(.engineUnavailable, "gone")))
        let again = try request("engine.stream", 2)
        try push(again, "engine.lifecycle.ready", "{}")
        _ = try request("permissions.list", 2)
        try push(again, "permission.asked", asked)
        #expect(try fixture.pump(1, 10_000) == 1)
    }

    @Test func streamEndsWithTheLastProvider() throws {
        let permission = try provide("permission")
        let question = try provide("question")
        let stream = try request("engine.stream")
        #expect(try count("engine.stream") == 1)
        _ = client.withdraw(permission)
        settle()
        #expect(!stream.call.isCancelled)
        _ = client.withdraw(question)
        settle()
        #expect(stream.call.isCancelled)
        stream.sink.end(.failure(Failure(.cancelled, "stopped")))
        _ = try provide("question")
        _ = try request("engine.stream", 2)
    }

    @Test func requestThatNobodySawIsLeftToOthersWhenTheProviderGoes() throws {
        let provider = try provide("permission")
        let stream = try request("engine.stream")
        try push(stream, "permission.asked", asked)
        _ = client.withdraw(provider)
        settle()
        #expect(try count("permissions.reply") == 0)
        #expect(try fixture.pump() == 0)
    }

    @Test func closingEndsTheStream() throws {
        let stream = try connected()
        try push(stream, "permission.asked", asked)
        #expect(try fixture.close() == 0)
        #expect(stream.call.isCancelled)
        stream.sink.end(.failure(Failure(.closed, "closed")))
        #expect(try count("permissions.reply") == 0)
    }
}

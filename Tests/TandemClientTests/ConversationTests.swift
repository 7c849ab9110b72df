import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// Calls of several requests: blocking, submitted and cancelled.
@Suite struct ConversationTests {
    private let fixture: ClientFixture
    private let backend: FakeBackend
    private let arguments = #"{"question_id":"q","answer":"A"}"#

    init() throws {
        fixture = try ClientFixture()
        backend = fixture.backend
    }

    /// Answers requests by the name of their operation.
    private func answer(_ replies: [String: String]) -> Lock<[String]> {
        let seen = Lock<[String]>([])
        backend.answers { request, _ in
            let name = TandemContract.Operation.numbered(request.operation)?.name ?? ""
            seen.withLock { $0.append(name) }
            guard let text = replies[name], let reply = try? JSONText(checking: text) else {
                return .failure(Failure(.notSupported, "\(name) is not there"))
            }
            return .success(.json(reply))
        }
        return seen
    }

    private func json(_ text: String) throws -> JSONText { try JSONText(checking: text) }

    private var questions: String { #"[{"id":"q","sessionID":"s"}]"# }

    @Test func blockingCallTakesAllItsSteps() throws {
        let seen = answer(["questions.list": questions, "questions.answer": #"{"ok":true}"#])
        #expect(try fixture.call("questions.reply", arguments).text == #"{"ok":{"ok":true}}"#)
        #expect(seen.withLock { $0 } == ["questions.list", "questions.answer"])
    }

    @Test func stepThatFailsEndsTheCall() throws {
        _ = answer(["questions.list": questions])
        let result = try fixture.call("questions.reply", arguments)
        #expect(result.errorName == "not_supported")
        #expect(result.at("error", "op")?.string == "questions.reply")
    }

    @Test func submittedCallTakesAllItsSteps() throws {
        let id = try fixture.submit("questions.reply", arguments)
        #expect(try backend.last().request.operation == TandemContract.Operation.named("questions.list")?.number)
        try backend.end(.success(.json(json(questions))))
        #expect(try backend.last().request.operation == TandemContract.Operation.named("questions.answer")?.number)
        #expect(try backend.last().request.path("session_id") == "s")
        try backend.end(.success(.json(json(#"{"ok":true}"#))))
        #expect(try fixture.wait(id).text == #"{"ok":{"ok":true}}"#)
    }

    @Test func cancelledCallTakesNoFurtherStep() throws {
        let id = try fixture.submit("questions.reply", arguments)
        #expect(fixture.client.cancel(id) == .asked)
        #expect(try fixture.wait(id).errorName == "cancelled")
        try backend.end(.success(.json(json(questions))))
        #expect(backend.started.count == 1)
    }

    @Test func deadlineHoldsForAllSteps() throws {
        let id = try fixture.submit("questions.reply", #"{"question_id":"q","answer":"A","$timeout_ms":1}"#)
        #expect(try fixture.wait(id).errorName == "timeout")
        try backend.end(.success(.json(json(questions))))
        #expect(backend.started.count == 1)
    }

    @Test func refusalBeforeSendingSendsNothing() throws {
        #expect(try fixture.call("incident_monitor.remove_route", #"{"route_id":" "}"#).errorName == "invalid_argument")
        #expect(throws: Failure.self) { _ = try fixture.submit("incident_monitor.remove_route", #"{"route_id":""}"#) }
        #expect(backend.started.isEmpty)
    }

    @Test func strictlyTheOwnRequestIsAll() throws {
        let seen = answer(["questions.reply": #"{"ok":true}"#])
        let arguments = #"{"question_id":"q","answer":"A","$strict":true}"#
        #expect(try fixture.call("questions.reply", arguments)["ok"] != nil)
        #expect(seen.withLock { $0 } == ["questions.reply"])
    }

    @Test func allPagesAreOneResult() throws {
        let page = Lock(0)
        backend.answers { request, _ in
            let number = page.withLock { page in
                page += 1
                return page
            }
            let reply = number == 1 ? #"[{"id":"1"},{"id":"2"}]"# : #"[{"id":"3"}]"#
            return (try? JSONText(checking: reply)).map { .success(.json($0)) } ?? .success(.empty(500))
        }
        let result = try fixture.call("sessions.list", #"{"$all":true,"page_size":2}"#)
        #expect(result.text == #"{"ok":{"sessions":[{"id":"1"},{"id":"2"},{"id":"3"}],"count":3}}"#)
    }

    @Test func grantsOfPromotionsEndAnHourFromNow() throws {
        _ = try fixture.submit("memory.promote", #"{"memory_id":"m"}"#)
        let expiry = try backend.last().request.body?.at("capability", "expires_at")?.integer ?? 0
        #expect((3_601_000..<3_700_000).contains(expiry))
    }

    @Test func keysInEventsAreTheCallers() throws {
        let event = EngineEvent(
            type: "resource.updated",
            properties: try json(#"{"key":"project/any/a%2525","rev":1}"#)
        )
        _ = try fixture.submit("resources.events")
        try backend.push(event)
        #expect(try fixture.nextEvents().first?.at("properties", "key")?.string == "a%25")
        _ = try fixture.submit("resources.events", #"{"$strict":true}"#)
        try backend.push(event)
        #expect(try fixture.nextEvents().first?.at("properties", "key")?.string == "project/any/a%2525")
    }
}

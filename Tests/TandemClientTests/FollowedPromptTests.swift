import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// `sessions.prompt_sync` on an engine whose answer comes without events, played by the test.
@Suite final class FollowedPromptTests {
    private let fixture: ClientFixture
    private var backend: FakeBackend { fixture.backend }

    init() throws {
        fixture = try ClientFixture()
        fixture.backend.showsPromptEvents = false
    }

    private func submit(_ more: String = "") throws -> UInt64 {
        try fixture.submit("sessions.prompt_sync", #"{"session_id":"s","prompt":"hi"\#(more)}"#)
    }

    private func messages() throws -> Result<Reply?, Failure> {
        .success(.json(try JSONText(checking: #"[{"info":{"role":"assistant"},"parts":[{"text":"whole"}]}]"#)))
    }

    private func event(_ type: String, _ properties: String = "{}") throws -> EngineEvent {
        EngineEvent(type: type, properties: try JSONText(checking: properties))
    }

    /// The prompt on its way, and the stream that shows its run.
    private func showing(_ more: String = "") throws -> (prompt: FakeBackend.Started, shown: FakeBackend.Started) {
        _ = try submit(more)
        let watch = try #require(backend.started("engine.stream").first)
        #expect(watch.request.query("runID") == nil)
        #expect(backend.started("sessions.prompt_sync").isEmpty, "the stream has to be there before")
        _ = watch.sink.take([try event("engine.lifecycle.ready")])
        let prompt = try #require(backend.started("sessions.prompt_sync").first)
        _ = watch.sink.take([try event("session.run.started", #"{"runID":"r"}"#)])
        #expect(watch.call.isCancelled)
        let shown = try #require(backend.started("engine.stream").last)
        #expect(shown.request.query("runID") == "r")
        return (prompt, shown)
    }

    @Test func eventsOfTheRunComeBeforeTheResult() throws {
        let (prompt, shown) = try showing()
        #expect(shown.sink.take([try .delta("a")]) == 1)
        prompt.sink.end(try messages())
        #expect(shown.sink.take([try event("session.run.finished", #"{"status":"completed"}"#)]) == 1)
        shown.sink.end(.success(nil))
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["session.response", "run.completed", "done"])
        #expect(events.last?.at("result", "ok", "text")?.string == "whole")
    }

    @Test func resultWaitsForARunThatIsHeardOfLate() throws {
        let id = try submit()
        let watch = try #require(backend.started("engine.stream").first)
        _ = watch.sink.take([try event("engine.lifecycle.ready")])
        try #require(backend.started("sessions.prompt_sync").first).sink.end(try messages())
        #expect(fixture.client.state.withLock { $0.running[id] != nil })
        _ = watch.sink.take([try event("session.run.started", #"{"runID":"r"}"#)])
        let shown = try #require(backend.started("engine.stream").last)
        _ = shown.sink.take([.todo])
        shown.sink.end(.success(nil))
        #expect(try fixture.next() == ["todo.updated", "done"])
    }

    @Test func engineWithoutAStreamAnswersAllTheSame() throws {
        _ = try submit()
        try #require(backend.started("engine.stream").first).sink.end(.failure(Failure(.engineUnavailable, "no")))
        try #require(backend.started("sessions.prompt_sync").first).sink.end(try messages())
        #expect(try fixture.next() == ["done"])
    }

    @Test func failureEndsAtOnce() throws {
        let (prompt, shown) = try showing()
        prompt.sink.end(.failure(Failure(.engineUnavailable, "gone")))
        #expect(try fixture.nextEvents().last?["result"]?.errorName == "engine_unavailable")
        #expect(shown.call.isCancelled)
        shown.sink.end(.failure(Failure(.cancelled, "late")))
    }

    @Test func runsOfOthersBeforeThePromptAreNotShown() throws {
        _ = try submit()
        let watch = try #require(backend.started("engine.stream").first)
        _ = watch.sink.take([try event("session.run.started", #"{"runID":"theirs"}"#)])
        #expect(backend.started("engine.stream").count == 1)
        #expect(backend.started("sessions.prompt_sync").count == 1)
    }

    @Test func cancelledBeforeTheStreamIsThereItSendsNothingMore() throws {
        let id = try submit()
        _ = fixture.client.cancel(id)
        let prompt = backend.started("sessions.prompt_sync").first
        prompt?.sink.end(.failure(Failure(.cancelled, "stopped")))
        #expect(try fixture.wait(id).errorName == "cancelled")
    }

    @Test func strictPromptIsThePlainRequest() throws {
        _ = try submit(#","$strict":true"#)
        #expect(backend.started.count == 1)
        #expect(backend.started("sessions.prompt_sync").count == 1)
    }

    @Test func engineThatGivesTheEventsItselfIsNotFollowed() throws {
        backend.showsPromptEvents = true
        _ = try submit()
        #expect(backend.started.count == 1)
    }
}

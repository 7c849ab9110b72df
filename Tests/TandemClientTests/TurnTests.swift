import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

@Suite struct TurnTests {
    private let fixture: ClientFixture
    private let client: Client
    private let backend: FakeBackend
    private let host: FakeHost
    private let function = ClientFixture.function

    init() throws {
        fixture = try ClientFixture()
        client = fixture.client
        backend = fixture.backend
        host = fixture.host
    }

    @Test func waiterGetsTheResult() throws {
        let id = try fixture.submit("engine.health")
        try backend.push(.todo)
        try backend.end(.success(.json(.emptyArray)))
        #expect(try fixture.wait(id).text == #"{"ok":[]}"#)
        #expect(try fixture.wait(id).errorName == "gone")
        #expect(try fixture.next().isEmpty)
    }

    @Test func waiterRunsTheOperationsOwnFunction() throws {
        let id = try fixture.submit("engine.global_stream", to: function)
        try backend.push(.todo)
        try backend.end()
        #expect(try fixture.wait(id).text == #"{"ok":{"ended":true}}"#)
        #expect(host.types == ["todo.updated", "done"])
        #expect(host.drops == [function])
    }

    @Test func waitThatRunsOutLeavesTheOperation() throws {
        let id = try fixture.submit("engine.global_stream")
        let (status, result) = try host.run(client.beginWait(id, timeoutMilliseconds: 0))
        #expect(status == 1)
        #expect(result?.errorName == "pending")
        try backend.push(.todo)
        #expect(try fixture.next() == ["todo.updated"])
    }

    @Test func resultOfAnotherThreadEndsTheWait() throws {
        let id = try fixture.submit("engine.health")
        let sink = try backend.last().sink
        let thread = try #require(Thread.start("engine") { sink.end(.success(.json(.emptyObject))) })
        #expect(try fixture.wait(id).text == #"{"ok":{}}"#)
        #expect(thread.join(by: Deadline(afterMilliseconds: 10_000)))
    }

    @Test func waiterThatThrowsEventsAwayLetsTheSourceGoOn() throws {
        let fixture = try ClientFixture { $0.queueBytes = 1 }
        let id = try fixture.submit("engine.global_stream")
        #expect(try fixture.backend.push(.todo, .todo) == 1)
        let started = try fixture.backend.last()
        started.call.whenResumed {
            #expect(started.sink.take([.todo]) == 1)
            started.sink.end(.success(nil))
        }
        #expect(try fixture.wait(id, 10_000).text == #"{"ok":{"ended":true}}"#)
    }

    @Test func waiterOfAPausedOperationLetsTheSourceGoOn() throws {
        let id = try fixture.submit("engine.global_stream", to: function)
        #expect(client.pause(id, true) == .asked)
        #expect(try backend.push(.todo) == 0)
        let started = try backend.last()
        started.call.whenResumed {
            #expect(started.sink.take([.todo]) == 1)
            started.sink.end(.success(nil))
        }
        #expect(try fixture.wait(id, 10_000).text == #"{"ok":{"ended":true}}"#)
        #expect(host.types == ["stream.resynced", "todo.updated", "done"])
    }

    @Test func pumpDeliversAtMostSoMany() throws {
        _ = try fixture.submit("engine.global_stream", to: function)
        try backend.push(.todo, .todo, .todo)
        #expect(try fixture.pump(2) == 2)
        #expect(try fixture.pump() == 1)
        #expect(try fixture.pump() == 0)
    }

    @Test func pumpWithoutALimitStopsAtWhatWasQueued() throws {
        _ = try fixture.submit("engine.global_stream", to: function)
        try backend.push(.todo, .todo)
        host.inside = { [backend] _ in #expect((try? backend.push(.todo)) == 1) }
        #expect(try fixture.pump() == 2)
    }

    @Test func batchEndsBeforeAnEventThatHasAFunction() throws {
        _ = try fixture.submit("engine.global_stream")
        try backend.push(.todo, .todo)
        _ = try fixture.submit("engine.health", to: function)
        try backend.end()
        #expect(try fixture.next() == ["todo.updated", "todo.updated"])
        #expect(host.events.isEmpty)
        #expect(try fixture.next().isEmpty)
        #expect(host.types == ["done"])
    }

    @Test func wakeEndsAPumpThatWaits() throws {
        fixture.isWoken.withLock { $0 = true }
        #expect(try fixture.pump(0, -1) == 0)
        fixture.isWoken.withLock { $0 = true }
        #expect(try fixture.next(0, -1).isEmpty)
    }

    @Test func eventOfAnotherThreadEndsAPumpThatWaits() throws {
        _ = try fixture.submit("engine.global_stream", to: function)
        let sink = try backend.last().sink
        let thread = try #require(Thread.start("engine") { _ = sink.take([.todo]) })
        #expect(try fixture.pump(0, 10_000) == 1)
        #expect(thread.join(by: Deadline(afterMilliseconds: 10_000)))
    }

    @Test func onlyOneThreadPumps() throws {
        let first = client.beginPump(limit: 0, timeoutMilliseconds: 0, isNext: false)
        #expect(try fixture.pump() == FailureName.busy.code)
        try host.run(first)
        #expect(try fixture.pump() == 0)
    }

    @Test func onlyOneThreadWaitsForAnOperation() throws {
        let id = try fixture.submit("engine.health")
        let first = client.beginWait(id, timeoutMilliseconds: 0)
        #expect(try fixture.wait(id, 0).errorName == "busy")
        try host.run(first)
        #expect(try fixture.wait(id, 0).errorName == "pending")
    }

    @Test func callAnswersOnTheCallersThread() throws {
        backend.answers { request, _ in
            .success(.json(JSONWriter.object { $0.member("id", request.path("session_id")) }))
        }
        #expect(try fixture.call("sessions.get", #"{"session_id":"x"}"#).text == #"{"ok":{"id":"x"}}"#)
        #expect(backend.started.isEmpty)
        #expect(client.stats()["operations"]?.integer == 0)
    }

    @Test func failedCallHasTheStatusOfItsError() throws {
        backend.answers { _, _ in .success(.refusal(404, code: "SESSION_NOT_FOUND", message: "no")) }
        let (status, result) = try host.run(fixture.beginCall("sessions.get", #"{"session_id":"x"}"#))
        #expect(status == FailureName.notFound.code)
        #expect(result?.errorName == "not_found")
        #expect(result?.at("error", "op")?.string == "sessions.get")
        #expect(try fixture.call("sessions.get").errorName == "invalid_argument")
    }

    @Test func blockingStreamCallCollectsItsEvents() throws {
        let call = try fixture.beginCall("engine.global_stream", #"{"$take":2}"#)
        try backend.push(.todo, .todo, .todo)
        let result = try #require(try host.run(call).result)
        #expect(
            result.at("ok", "events")?.elements.compactMap { $0["type"]?.string } == ["todo.updated", "todo.updated"]
        )
        #expect(result.at("ok", "ended")?.boolean == false)
        #expect(try fixture.next().isEmpty)
    }

    @Test func blockingCallOfARunEndsWithIt() throws {
        let call = try fixture.beginCall("engine.stream", #"{"run_id":"r"}"#)
        try backend.push(.todo)
        try backend.end()
        let result = try #require(try host.run(call).result)
        #expect(result.at("ok", "events")?.elements.count == 1)
        #expect(result.at("ok", "ended")?.boolean == true)
    }

    @Test func timeRunningOutIsNoErrorOfABlockingStream() throws {
        let result = try fixture.call("engine.global_stream", #"{"$timeout_ms":1}"#)
        #expect(result.text == #"{"ok":{"events":[],"ended":false}}"#)
    }

    @Test func failedStreamIsAnError() throws {
        let call = try fixture.beginCall("engine.global_stream", #"{"$take":1}"#)
        try backend.end(.failure(Failure(.engineUnavailable, "gone away")))
        #expect(try host.run(call).result?.errorName == "engine_unavailable")
    }

    @Test func fullQueueOfABlockingStreamIsEmptiedAsItGoes() throws {
        let fixture = try ClientFixture { $0.queueBytes = 1 }
        let call = try fixture.beginCall("engine.global_stream", #"{"$timeout_ms":600000}"#)
        let started = try fixture.backend.last()
        started.call.whenResumed {
            _ = started.sink.take([.todo])
            started.sink.end(.success(nil))
        }
        #expect(try fixture.backend.push(.todo, .todo) == 1)
        let result = try #require(try fixture.host.run(call).result)
        #expect(
            result.at("ok", "events")?.elements.compactMap { $0["type"]?.string }
                == ["todo.updated", "stream.resynced", "todo.updated"]
        )
    }

    @Test(arguments: ["{}", #"{"$timeout_ms":-1}"#, #"{"$reconnect":true}"#])
    func endlessStreamHasToSayWhenItIsEnough(arguments: String) throws {
        let (status, result) = try host.run(fixture.beginCall("engine.global_stream", arguments))
        #expect(status == FailureName.invalidArgument.code)
        #expect(result?.at("error", "message")?.string?.contains("$take or $timeout_ms") == true)
        #expect(backend.started.isEmpty)
    }

    @Test(arguments: [
        ("engine.global_stream", #"{"$take":1}"#), ("engine.global_stream", #"{"$timeout_ms":0}"#),
        ("engine.global_stream", #"{"$reconnect":false}"#), ("engine.stream", #"{"run_id":"r"}"#),
        ("engine.run_stream", #"{"run_id":"r"}"#),
    ])
    func streamThatEndsMayBeCalled(name: String, arguments: String) throws {
        let call = try fixture.beginCall(name, arguments)
        try backend.end()
        #expect(try host.run(call).result?["ok"] != nil)
    }
}

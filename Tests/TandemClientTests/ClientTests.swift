import Glibc
import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

@Suite struct ClientTests {
    private let fixture: ClientFixture
    private let client: Client
    private let backend: FakeBackend
    private let host: FakeHost
    private let function = ClientFixture.function
    private let handler = HostFunction(function: 4, context: 5, drop: 6)

    init() throws {
        fixture = try ClientFixture()
        client = fixture.client
        backend = fixture.backend
        host = fixture.host
    }

    // One operation.

    @Test func eventsComeInOrderAndDoneLast() throws {
        let id = try fixture.submit("engine.stream", #"{"run_id":"r","$tag":1}"#, to: function)
        #expect(try backend.last().request.query("runID") == "r")
        try backend.push(EngineEvent(type: "session.run.started", properties: .emptyObject), .delta("a"))
        try backend.push(EngineEvent(type: "session.run.finished", properties: .emptyObject))
        try backend.end()
        #expect(try fixture.pump() == 4)
        #expect(host.types == ["run.started", "session.response", "run.completed", "done"])
        #expect(host.events.compactMap { $0["op"]?.integer } == Array(repeating: Int64(id), count: 4))
        #expect(host.events.compactMap { $0["seq"]?.integer } == [1, 2, 3, 4])
        #expect(host.events.last?["result"]?.text == #"{"ok":{"ended":true}}"#)
        #expect(host.drops == [function])
    }

    @Test func promptCarriesAKeyOfItsOwn() throws {
        _ = try fixture.submit("sessions.prompt_async", #"{"session_id":"s","prompt":"hi"}"#)
        #expect(try backend.last().request.header("idempotency-key")?.utf8.count == 36)
    }

    @Test func operationThatOnlyTheLibraryHasIsNotSupportedYet() throws {
        let failure = try #require(throws: Failure.self) { _ = try fixture.submit("sessions.run", #"{"prompt":"x"}"#) }
        #expect(failure.name == .notSupported)
        #expect(backend.started.isEmpty)
    }

    @Test func handlerTakesWhatHasNoFunction() throws {
        #expect(client.setHandler(handler) == nil)
        _ = try fixture.submit("engine.health")
        try backend.end(.success(.json(.emptyObject)))
        #expect(try fixture.pump() == 1)
        #expect(host.functions == [handler])
        #expect(client.setHandler(nil) == handler)
    }

    @Test func handlerReplacedInsideItsCallIsDroppedAfterIt() throws {
        _ = client.setHandler(handler)
        _ = try fixture.submit("engine.health")
        try backend.end()
        host.inside = { [client, function] _ in #expect(client.setHandler(function) == nil) }
        try fixture.pump()
        #expect(host.drops == [handler])
        #expect(client.setHandler(nil) == function)
    }

    // Waiting.

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

    // Stopping.

    @Test func cancelledOperationEndsAfterItsQueuedEvents() throws {
        let id = try fixture.submit("engine.global_stream")
        try backend.push(.todo)
        #expect(client.cancel(id) == .asked)
        #expect(try backend.last().call.isCancelled)
        #expect(client.cancel(id) == .over)
        try backend.end(.failure(Failure(.cancelled, "late")))
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["todo.updated", "done"])
        #expect(events.last?["result"]?.errorName == "cancelled")
        #expect(events.last?.at("result", "error", "detail")?.text == #"{"sent":true}"#)
        #expect(client.cancel(id) == .over)
    }

    @Test func cancelLiftsAPause() throws {
        let id = try fixture.submit("engine.global_stream")
        _ = client.pause(id, true)
        #expect(client.cancel(id) == .asked)
        #expect(try fixture.next() == ["done"])
    }

    @Test func cancelAllCancelsEach() throws {
        for _ in 0..<3 { _ = try fixture.submit("engine.global_stream") }
        client.cancelAll()
        #expect(
            try fixture.nextEvents().compactMap { $0["result"]?.errorName } == Array(repeating: "cancelled", count: 3)
        )
    }

    @Test(arguments: [0, 1]) func timeRunningOutEndsAnOperation(milliseconds: Int) throws {
        let id = try fixture.submit("engine.global_stream", #"{"$timeout_ms":\#(milliseconds)}"#)
        let result = try fixture.wait(id)
        #expect(result.errorName == "timeout")
        #expect(result.at("error", "op") == .null || result.at("error", "op")?.string == "engine.global_stream")
        #expect(try backend.last().call.isCancelled)
    }

    @Test func timeThatIsUpAtOnceNeverMissesItsOperation() throws {
        for _ in 0..<300 {
            let id = try fixture.submit("engine.global_stream", #"{"$timeout_ms":0}"#)
            #expect(try fixture.wait(id, 10_000).errorName == "timeout")
        }
    }

    @Test func endInTimeIsTheResult() throws {
        let id = try fixture.submit("engine.health", #"{"$timeout_ms":600000}"#)
        try backend.end()
        #expect(try fixture.wait(id)["ok"] != nil)
    }

    private static let prompt = #"{"session_id":"s","prompt":"hi"}"#

    @Test func cancelledPromptWaitsForTheEnginesWord() throws {
        let id = try fixture.submit("sessions.prompt_sync", Self.prompt)
        #expect(client.cancel(id) == .asked)
        #expect(try backend.last().call.isCancelled)
        #expect(try fixture.next().isEmpty)
        let detail = try JSONText(checking: #"{"sent":true,"run_cancelled":true}"#)
        try backend.end(.failure(Failure(.cancelled, "was cancelled", detail: detail)))
        let result = try fixture.wait(id)
        #expect(result.errorName == "cancelled")
        #expect(result.at("error", "detail") == detail)
    }

    @Test func promptThatRanOutOfTimeSaysSoInTheEnginesPlace() throws {
        let id = try fixture.submit(
            "sessions.prompt_sync",
            #"{"session_id":"s","prompt":"hi","$timeout_ms":1}"#
        )
        let started = try backend.last()
        started.call.whenCancelled { started.sink.end(.failure(Failure(.cancelled, "was cancelled"))) }
        #expect(try fixture.wait(id).errorName == "timeout")
    }

    @Test func engineThatSaysNothingIsNotWaitedFor() throws {
        let fixture = try ClientFixture { $0.stopMilliseconds = 1 }
        let id = try fixture.submit("sessions.prompt_sync", Self.prompt)
        #expect(fixture.client.cancel(id) == .asked)
        let result = try fixture.wait(id)
        #expect(result.errorName == "cancelled")
        #expect(result.at("error", "detail", "run_cancelled")?.boolean == false)
    }

    @Test func numbersOfOthersAreUnknown() throws {
        let other = try ClientFixture(slot: 8)
        let foreign = try other.submit("engine.health")
        _ = try fixture.submit("engine.health")
        for id in [0, 1, foreign, foreign + 1, .max] {
            #expect(client.cancel(id) == .unknown)
            #expect(client.pause(id, true) == .unknown)
            #expect(try fixture.wait(id, 0).errorName == "invalid_argument")
        }
    }

    // Pausing.

    @Test func pausedStreamHoldsItsSourceBack() throws {
        let id = try fixture.submit("engine.global_stream")
        let resumed = Lock(0)
        try backend.last().call.whenResumed { resumed.withLock { $0 += 1 } }
        try backend.push(.todo)
        #expect(client.pause(id, true) == .asked)
        #expect(try backend.push(.todo) == 0)
        #expect(try fixture.next().isEmpty)
        #expect(client.pause(id, false) == .asked)
        #expect(resumed.withLock { $0 } == 0, "what is queued comes first")
        #expect(try fixture.next() == ["todo.updated"])
        #expect(resumed.withLock { $0 } == 1)
        try backend.push(.todo)
        #expect(try fixture.next() == ["stream.resynced", "todo.updated"])
        #expect(resumed.withLock { $0 } == 1)
    }

    @Test func emptyStreamGoesOnAtOnce() throws {
        let id = try fixture.submit("engine.global_stream")
        let resumed = Lock(0)
        try backend.last().call.whenResumed { resumed.withLock { $0 += 1 } }
        _ = client.pause(id, true)
        #expect(try backend.push(.todo) == 0)
        _ = client.pause(id, false)
        #expect(resumed.withLock { $0 } == 1)
    }

    @Test func operationThatIsOverCannotBePaused() throws {
        let id = try fixture.submit("engine.health")
        try backend.end()
        _ = try fixture.wait(id)
        #expect(client.pause(id, true) == .over)
    }

    // Pump and next.

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

    // Wakeups.

    @Test func wakeupComesOnceBetweenTwoPumps() throws {
        #expect(client.setWakeup(handler) == nil)
        _ = try fixture.submit("engine.global_stream", to: function)
        try backend.push(.todo)
        try backend.push(.todo)
        #expect(fixture.wakeups.withLock { $0 } == [handler])
        try fixture.pump()
        #expect(fixture.wakeups.withLock { $0.count } == 1)
        try backend.push(.todo)
        #expect(fixture.wakeups.withLock { $0.count } == 2)
        #expect(client.setWakeup(nil) == handler)
        try fixture.pump()
        try backend.push(.todo)
        #expect(fixture.wakeups.withLock { $0.count } == 2)
    }

    @Test func wakeupComesForWhatIsLeftAfterAPump() throws {
        _ = client.setWakeup(handler)
        _ = try fixture.submit("engine.global_stream", to: function)
        try backend.push(.todo, .todo)
        try fixture.pump(1)
        #expect(fixture.wakeups.withLock { $0.count } == 2)
    }

    @Test func descriptorIsReadableWhileAPumpWouldDeliver() throws {
        let fd = client.wakeupDescriptor()
        #expect(fd >= 0)
        #expect(client.wakeupDescriptor() == fd)
        #expect(!isReadable(fd))
        _ = try fixture.submit("engine.global_stream")
        try backend.push(.todo)
        #expect(isReadable(fd))
        try fixture.pump()
        #expect(!isReadable(fd), "what a pump left unclaimed does not count")
        _ = client.setHandler(handler)
        #expect(isReadable(fd))
        try fixture.pump()
        #expect(!isReadable(fd))
    }

    private func isReadable(_ fd: Int32) -> Bool {
        var entry = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return poll(&entry, 1, 0) == 1
    }

    @Test func clientIsBusyWhileThereIsSomethingToPump() throws {
        _ = try fixture.submit("engine.global_stream", to: function)
        try fixture.pump()
        #expect(!fixture.isBusy.withLock { $0 })
        try backend.push(.todo)
        #expect(fixture.isBusy.withLock { $0 })
        try fixture.pump()
        #expect(!fixture.isBusy.withLock { $0 })
    }

    // Blocking calls.

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

    // Limits and numbers.

    @Test func openOperationsHaveALimit() throws {
        let fixture = try ClientFixture { $0.operationsLimit = 1 }
        let id = try fixture.submit("engine.health")
        let failure = try #require(throws: Failure.self) { _ = try fixture.submit("engine.health") }
        #expect(failure.name == .limit)
        #expect(fixture.backend.started.count == 1)
        try fixture.backend.end()
        _ = try fixture.wait(id)
        _ = try fixture.submit("engine.health")
    }

    @Test func resultsThatNobodyTakesHaveALimit() throws {
        let fixture = try ClientFixture { $0.resultsLimitBytes = 1 }
        _ = try fixture.submit("engine.health")
        try fixture.backend.end()
        let failure = try #require(throws: Failure.self) { _ = try fixture.submit("engine.health") }
        #expect(failure.name == .limit)
        #expect(try fixture.next() == ["done"])
    }

    @Test func statsCount() throws {
        let id = try fixture.submit("engine.global_stream")
        try backend.push(.todo, .todo)
        _ = try fixture.next(1)
        let stats = client.stats()
        #expect(stats["operations"]?.integer == 1)
        #expect(stats["operations_running"]?.integer == 1)
        #expect(stats["calls"]?.integer == 1)
        #expect(stats["events_delivered"]?.integer == 1)
        #expect(stats["events_queued"]?.integer == 1)
        try backend.end()
        #expect(client.stats()["results_bytes"]?.integer == 21)
        _ = try fixture.wait(id)
        #expect(client.stats()["events_discarded"]?.integer == 1)
        #expect(client.stats()["operations"]?.integer == 0)
    }

    @Test func logRecordsAreEventsWhereTheHostAskedForThem() throws {
        let fixture = try ClientFixture { $0.logLevel = 2 }
        fixture.client.log(3, "too much", .emptyObject)
        fixture.client.log(2, "said", .emptyObject)
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["log"])
        #expect(events.first?["op"]?.integer == 0)
        #expect(events.first?["properties"]?.text == #"{"level":2,"message":"said","fields":{}}"#)
        #expect(fixture.client.stats()["operations"]?.integer == 0)
        client.log(1, "nobody asked", .emptyObject)
        #expect(try self.fixture.next().isEmpty)
    }

    // Closing.

    @Test func closeHandsOutEveryDoneAndDropsEveryFunction() throws {
        _ = client.setHandler(handler)
        let wakeup = HostFunction(function: 7, context: 8, drop: 9)
        _ = client.setWakeup(wakeup)
        _ = try fixture.submit("engine.global_stream", to: function)
        try backend.push(.todo)
        _ = try fixture.submit("engine.health")
        #expect(try fixture.close() == 0)
        #expect(host.types == ["done", "done"])
        #expect(host.events.map { $0["result"]?.errorName } == ["cancelled", "cancelled"])
        #expect(Set(host.functions.map(\.function)) == [function.function, handler.function])
        #expect(host.drops.map(\.function).sorted() == [function.function, handler.function, wakeup.function])
        #expect(backend.started.allSatisfy { $0.call.isCancelled })
        #expect(backend.isClosed)
    }

    @Test func closedClientRefuses() throws {
        let id = try fixture.submit("engine.health")
        #expect(try fixture.close() == 0)
        #expect(try fixture.pump() == FailureName.closed.code)
        #expect(try fixture.wait(id, 0).errorName == "closed")
        #expect(try fixture.call("engine.health").errorName == "closed")
        let failure = try #require(throws: Failure.self) { _ = try fixture.submit("engine.health") }
        #expect(failure.name == .closed)
        #expect(client.wakeupDescriptor() == -1)
        #expect(try fixture.close() == FailureName.closed.code)
    }

    @Test func closeWaitsForABlockingCallOfAnotherThread() throws {
        let blocked = Monitor(false)
        backend.answers { _, call in
            let cancelled = Monitor(false)
            call.whenCancelled { cancelled.change { $0 = true } }
            blocked.change { $0 = true }
            _ = cancelled.wait(until: .never) { $0 ? true : nil }
            return .failure(Failure(.cancelled, "cancelled"))
        }
        let result = Monitor<JSONText?>(nil)
        let operation = try #require(TandemContract.Operation.named("engine.health"))
        let caller = Thread.start("caller") { [client] in
            guard case .over(_, let text) = client.beginCall(operation, .emptyObject) else { return }
            result.change { $0 = text }
        }
        _ = blocked.wait(until: .never) { $0 ? true : nil }
        #expect(try fixture.close() == 0)
        #expect(result.wait(until: .never) { $0 }?.errorName == "closed")
        #expect(try #require(caller).join(by: Deadline(afterMilliseconds: 10_000)))
    }

    @Test func closeThatRunsOutOfTimeGoesOnLater() throws {
        _ = client.setHandler(handler)
        _ = try fixture.submit("engine.health")
        try backend.end()
        guard case .turn(let pump) = client.beginPump(limit: 0, timeoutMilliseconds: 0, isNext: false) else {
            Issue.record("no pump")
            return
        }
        guard case .event = pump.step() else {
            Issue.record("no callback")
            return
        }
        #expect(try fixture.close(0) == FailureName.pending.code, "a callback runs")
        #expect(try fixture.pump() == FailureName.closed.code)
        guard case .drop(let dropped) = pump.step() else {
            Issue.record("no drop")
            return
        }
        #expect(dropped == handler)
        guard case .over(FailureName.closed.code, _) = pump.step() else {
            Issue.record("the pump goes on")
            return
        }
        #expect(try fixture.close() == 0)
    }

    @Test func pumpEndsWhenItsClientIsClosed() throws {
        let turn = client.beginPump(limit: 0, timeoutMilliseconds: -1, isNext: false)
        #expect(client.startClosing())
        #expect(try host.run(turn).status == FailureName.closed.code)
    }
}

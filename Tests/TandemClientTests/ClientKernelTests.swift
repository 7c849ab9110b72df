import Glibc
import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

@Suite struct ClientKernelTests {
    private let fixture: ClientFixture
    private let client: Client
    private let backend: FakeBackend
    private let function = ClientFixture.function
    private let handler = HostFunction(function: 4, context: 5, drop: 6)

    init() throws {
        fixture = try ClientFixture()
        client = fixture.client
        backend = fixture.backend
    }

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
        #expect(result.at("error", "op")?.string == "engine.global_stream")
        let cancelled = Monitor(false)
        try backend.last().call.whenCancelled { cancelled.change { $0 = true } }
        #expect(cancelled.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil } == true)
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

    @Test func pauseOfAllHoldsEachBackButThoseThatAreWaitedFor() throws {
        let first = try fixture.submit("engine.global_stream")
        try backend.push(.todo)
        let second = try fixture.submit("engine.global_stream")
        try backend.push(.todo)
        client.pauseAll(true)
        #expect(try fixture.next().isEmpty)
        #expect(client.cancel(first) == .asked)
        #expect(try fixture.wait(first).errorName == "cancelled")
        client.pauseAll(false)
        #expect(try fixture.next() == ["todo.updated"])
        let waited = client.beginWait(second, timeoutMilliseconds: 0)
        client.pauseAll(true)
        #expect(client.state.withLock { $0.mailbox.operations[second]?.isPaused } == false)
        withExtendedLifetime(waited) {}
    }

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
}

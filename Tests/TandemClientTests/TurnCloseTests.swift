import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

@Suite struct TurnCloseTests {
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
            _ = cancelled.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
            return .failure(Failure(.cancelled, "cancelled"))
        }
        let result = Monitor<JSONText?>(nil)
        let operation = try #require(TandemContract.Operation.named("engine.health"))
        let caller = Thread.start("caller") { [client] in
            guard case .over(_, let text) = client.beginCall(operation, .emptyObject) else { return }
            result.change { $0 = text }
        }
        _ = blocked.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
        #expect(try fixture.close() == 0)
        #expect(result.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 }?.errorName == "closed")
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
        guard case .over(1, _) = pump.step() else {
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

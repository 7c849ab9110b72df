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

    @Test func runWithoutASessionIsRefusedBeforeAnythingIsSent() throws {
        let failure = try #require(throws: Failure.self) { _ = try fixture.submit("sessions.run", #"{"prompt":"x"}"#) }
        #expect(failure.name == .invalidArgument)
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
}

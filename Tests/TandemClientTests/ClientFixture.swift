import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// An engine that does what a test does in its place.
final class FakeBackend: Backend {
    struct Started: Sendable {
        let request: Request
        let call: Call
        let sink: any Sink
    }

    private let operations = Monitor<[Started]>([])
    private let answers = Lock<@Sendable (Request, Call) -> Result<Reply, Failure>>({ _, _ in .success(.empty(204)) })
    private let closed = Lock(false)

    func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure> {
        let answer = answers.withLock { $0 }
        return answer(request, call)
    }

    func start(_ request: Request, _ call: Call, into sink: any Sink) {
        operations.change { $0.append(Started(request: request, call: call, sink: sink)) }
    }

    func close(by deadline: Deadline) -> Bool {
        closed.withLock { $0 = true }
        return true
    }

    let runsHostTools = true

    var isClosed: Bool { closed.withLock { $0 } }
    var started: [Started] { operations.withLock { $0 } }

    func answers(_ answer: @escaping @Sendable (Request, Call) -> Result<Reply, Failure>) {
        answers.withLock { $0 = answer }
    }

    /// The operation that was started last.
    func last() throws -> Started { try #require(started.last) }

    /// The requests of an operation, in their order.
    func started(_ name: String) -> [Started] {
        let number = TandemContract.Operation.named(name)?.number
        return started.filter { $0.request.operation == number }
    }

    /// Hands over events as one piece; gives how many were taken.
    @discardableResult
    func push(_ events: EngineEvent...) throws -> Int { try last().sink.take(events[...]) }

    func end(_ outcome: Result<Reply?, Failure> = .success(nil)) throws { try last().sink.end(outcome) }
}

/// What stands in for the C side: runs the steps of a turn and writes down what it was to run.
final class FakeHost {
    var events: [JSONText] = []
    var functions: [HostFunction] = []
    var drops: [HostFunction] = []
    /// Runs inside each callback.
    var inside: (JSONText) -> Void = { _ in }
    /// What providers' functions were given.
    var calls: [JSONText] = []

    var types: [String] { events.compactMap { $0["type"]?.string } }

    @discardableResult
    func run(_ beginning: Client.Beginning) throws -> (status: Int32, result: JSONText?) {
        guard case .turn(let turn) = beginning else {
            guard case .over(let status, let result) = beginning else { return (0, nil) }
            return (status, result)
        }
        while true {
            switch turn.step() {
            case .hostCall(let function, let call, let operation, let text):
                let event = try JSONText(checking: text)
                #expect(event["op"]?.integer == Int64(operation))
                #expect(event["call"]?.integer == Int64(call))
                functions.append(function)
                calls.append(event)
                inside(event)
            case .event(let function, let operation, let text, let isHostCall):
                let event = try JSONText(checking: text)
                #expect(event["op"]?.integer == Int64(operation))
                #expect((event["type"]?.string?.hasPrefix("host.") ?? false) == isHostCall)
                functions.append(function)
                events.append(event)
                inside(event)
            case .drop(let function): drops.append(function)
            case .over(let status, let result): return (status, result)
            }
        }
    }
}

/// A client over a fake engine, with a real loop for its timers.
final class ClientFixture {
    let backend = FakeBackend()
    let host = FakeHost()
    let client: Client
    let desk = HostDesk()
    let loop: EventLoop
    let isBusy = Lock(false)
    let isWoken = Lock(false)
    let wakeups = Lock<[HostFunction]>([])

    static let function = HostFunction(function: 1, context: 2, drop: 3)

    init(slot: Int = 7, _ change: (inout ClientOptions) -> Void = { _ in }) throws {
        var options = ClientOptions()
        change(&options)
        loop = try #require(EventLoop.start())
        let (isBusy, isWoken, wakeups) = (isBusy, isWoken, wakeups)
        client = Client(
            backend: backend,
            loop: loop,
            host: ClientHost(
                signal: Signal(),
                slot: slot,
                setBusy: { busy in isBusy.withLock { $0 = busy } },
                takeWoken: {
                    isWoken.withLock { isWoken in
                        defer { isWoken = false }
                        return isWoken
                    }
                },
                runWakeup: { wakeup in wakeups.withLock { $0.append(wakeup) } }
            ),
            options: options,
            clock: CountingClock(startingAt: 1_000),
            random: Random(seed: 1),
            desk: desk
        )
        desk.attach(client)
    }

    deinit { _ = loop.stop(by: Deadline(afterMilliseconds: 10_000)) }

    func submit(_ name: String, _ arguments: String = "{}", to function: HostFunction? = nil) throws -> UInt64 {
        let operation = try #require(TandemContract.Operation.named(name))
        let plan = try client.plan(operation, JSONText(checking: arguments))
        return try client.submit(operation, plan, callback: function).get()
    }

    @discardableResult
    func pump(_ limit: Int32 = 0, _ milliseconds: Int32 = 0) throws -> Int32 {
        try host.run(client.beginPump(limit: limit, timeoutMilliseconds: milliseconds, isNext: false)).status
    }

    /// The types of the events that nobody claims.
    func next(_ limit: Int32 = 0, _ milliseconds: Int32 = 0) throws -> [String] {
        try nextEvents(limit, milliseconds).compactMap { $0["type"]?.string }
    }

    func nextEvents(_ limit: Int32 = 0, _ milliseconds: Int32 = 0) throws -> [JSONText] {
        let beginning = client.beginPump(limit: limit, timeoutMilliseconds: milliseconds, isNext: true)
        let result = try #require(try host.run(beginning).result)
        return try #require(result["ok"]).elements
    }

    func wait(_ id: UInt64, _ milliseconds: Int32 = 10_000) throws -> JSONText {
        try #require(try host.run(client.beginWait(id, timeoutMilliseconds: milliseconds)).result)
    }

    func call(_ name: String, _ arguments: String = "{}") throws -> JSONText {
        try #require(try host.run(beginCall(name, arguments)).result)
    }

    func beginCall(_ name: String, _ arguments: String = "{}") throws -> Client.Beginning {
        let operation = try #require(TandemContract.Operation.named(name))
        return try client.beginCall(operation, JSONText(checking: arguments))
    }

    @discardableResult
    func close(_ milliseconds: Int32 = 10_000) throws -> Int32 {
        try host.run(client.beginClose(timeoutMilliseconds: milliseconds)).status
    }
}

extension EngineEvent {
    /// An event that has a plain documented form.
    static let todo = EngineEvent(type: "todo.updated", properties: .emptyObject)

    static func delta(_ text: String) throws -> EngineEvent {
        let properties = try JSONText(checking: #"{"part":{"type":"text"},"delta":"\#(text)"}"#)
        return EngineEvent(type: "message.part.updated", properties: properties)
    }
}

extension JSONText {
    var errorName: String? { at("error", "name")?.string }
}

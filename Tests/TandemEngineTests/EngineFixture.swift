import Glibc
import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

/// A model that says what a test tells it to, when it tells it to.
final class ScriptedModel: Model {
    struct Asked: Sendable {
        let request: ModelRequest
        let deliver: @Sendable ([ModelEvent]) -> Void
    }

    private let asked = Monitor<[Asked]>([])
    private let scripts: [[ModelEvent]]?

    /// With a script it answers by itself, from another thread's point of view at once.
    init(_ script: [ModelEvent]?) { scripts = script.map { [$0] } }

    /// The first request gets the first answer, and so on; the last stays.
    init(answers: [[ModelEvent]]) { scripts = answers }

    convenience init(text: String) { self.init([.text(text), .finished(reason: "stop")]) }

    func start(_ request: ModelRequest, deliver: @escaping @Sendable ([ModelEvent]) -> Void) -> any ModelCall {
        let count = asked.change { asked in
            asked.append(Asked(request: request, deliver: deliver))
            return asked.count
        }
        if let scripts { deliver(scripts[min(count, scripts.count) - 1]) }
        return Call(deliver: deliver)
    }

    private struct Call: ModelCall {
        let deliver: @Sendable ([ModelEvent]) -> Void
        func cancel() { deliver([.failed(ModelFailure(.cancelled, "cancelled"))]) }
    }

    /// Waits for the request of that number.
    func request(_ index: Int = 0) -> Asked? {
        asked.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.count > index ? $0[index] : nil }
    }
}

/// A host that notes what it is asked; it answers when a test tells it to, or by a function at once.
final class FakeHost: Host {
    struct Asked: Sendable {
        let id: UInt64
        let call: HostCall
        let receiver: any HostReceiver

        func answer(_ json: String) { receiver.end(.success(JSONText(trusted: Array(json.utf8)))) }
    }

    struct State {
        var offers = HostOffers()
        var asked: [Asked] = []
        var cancelled: [UInt64: String] = [:]
    }

    let state = Monitor(State())
    private let answer: (@Sendable (HostCall) -> Result<JSONText, Failure>)?

    init(
        tools: [HostTool] = [],
        models: [HostModel] = [],
        answersQuestions: Bool = false,
        _ answer: (@Sendable (HostCall) -> Result<JSONText, Failure>)? = nil
    ) {
        self.answer = answer
        state.change {
            $0.offers.tools = tools
            $0.offers.models = models
            $0.offers.answersQuestions = answersQuestions
        }
    }

    var offers: HostOffers { state.withLock { $0.offers } }

    func ask(_ call: HostCall, _ receiver: any HostReceiver) -> UInt64? {
        let id = state.change { state -> UInt64? in
            let offered =
                call.kind == .model
                ? state.offers.models.contains { $0.name == call.name }
                : state.offers.tools.contains { $0.name == call.name }
            guard offered else { return nil }
            let id = UInt64(state.asked.count + 1)
            state.asked.append(Asked(id: id, call: call, receiver: receiver))
            return id
        }
        if id != nil, let answer { receiver.end(answer(call)) }
        return id
    }

    func cancel(_ call: UInt64, reason: String) { state.change { $0.cancelled[call] = reason } }

    /// Waits for the call of that number.
    func call(_ index: Int = 0) -> Asked? {
        state.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.asked.count > index ? $0.asked[index] : nil }
    }
}

extension HostTool {
    static func named(_ name: String, asks: Bool = false) -> HostTool {
        HostTool(
            name: name,
            description: "a tool of a test",
            parameters: JSONText(trusted: Array(#"{"type":"object"}"#.utf8)),
            asks: asks,
            timeoutMilliseconds: 1_000
        )
    }
}

/// A sink with room for some events; all of them unless told otherwise.
final class Recorder: Sink {
    struct State {
        var events: [EngineEvent] = []
        var outcome: Result<Reply?, Failure>?
        var room: Int
    }

    let state: Monitor<State>

    init(room: Int = .max) { state = Monitor(State(room: room)) }

    func take(_ events: ArraySlice<EngineEvent>) -> Int {
        state.change { state in
            let taken = events.prefix(state.room)
            state.events += taken
            if state.room != .max { state.room -= taken.count }
            return taken.count
        }
    }

    func end(_ outcome: Result<Reply?, Failure>) { state.change { $0.outcome = outcome } }

    func makeRoom(_ count: Int) { state.withLock { $0.room = count } }

    var types: [String] { state.withLock { $0.events.map(\.type) } }

    func waitForEnd() -> Result<Reply?, Failure>? {
        state.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.outcome }
    }

    /// Waits for an event of that type and gives all events so far.
    func wait(for type: String, count: Int = 1) -> [EngineEvent]? {
        state.wait(until: Deadline(afterMilliseconds: 10_000)) { state in
            state.events.count { $0.type == type } >= count ? state.events : nil
        }
    }

    func wait(count: Int) -> [EngineEvent]? {
        state.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.events.count >= count ? $0.events : nil }
    }
}

/// A directory that goes away with the test.
final class Folder {
    let path: String

    init() {
        var template = Array("/tmp/tandem-test-XXXXXX".utf8CString)
        path = String(cString: mkdtemp(&template))
    }

    deinit {
        var pid = pid_t()
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("rm"), strdup("-rf"), strdup(path), nil]
        posix_spawnp(&pid, "rm", nil, nil, &arguments, environ)
        waitpid(pid, nil, 0)
        for argument in arguments { free(argument) }
    }

    func write(_ name: String, _ bytes: [UInt8]) {
        let fd = open(path + "/" + name, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
        Glibc.close(fd)
    }

    func write(_ name: String, _ text: String) { write(name, Array(text.utf8)) }

    func read(_ name: String) -> [UInt8] {
        let fd = open(path + "/" + name, O_RDONLY)
        defer { Glibc.close(fd) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = Glibc.read(fd, &bytes, bytes.count)
        return Array(bytes.prefix(max(0, count)))
    }
}

/// An open engine with its loop, and the calls that tests make.
final class EngineFixture {
    let loop: EventLoop
    let engine: Engine

    init(_ configuration: EngineConfiguration) throws {
        loop = try #require(EventLoop.start(name: "test-io"))
        do {
            engine = try Engine.open(configuration, loop: loop)
        } catch {
            _ = loop.stop(by: .never)
            throw error
        }
    }

    /// An engine in memory that is the same each time.
    convenience init(_ model: ScriptedModel, _ change: (inout EngineConfiguration) -> Void = { _ in }) throws {
        var configuration = EngineFixture.configuration(model)
        change(&configuration)
        try self.init(configuration)
    }

    static func configuration(_ model: ScriptedModel) -> EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.clock = CountingClock(startingAt: 1_760_000_000_000)
        configuration.random = Random(seed: 7)
        configuration.discover = false
        configuration.makeModel = { _ in model }
        return configuration
    }

    deinit {
        _ = engine.close(by: Deadline(afterMilliseconds: 10_000))
        _ = loop.stop(by: Deadline(afterMilliseconds: 10_000))
    }

    func answer(_ request: Request, milliseconds: Int64 = 10_000) -> Result<Reply, Failure> {
        engine.answer(request, Call(deadline: Deadline(afterMilliseconds: milliseconds)))
    }

    func reply(_ request: Request) throws -> Reply { try answer(request).get() }

    func call(_ operation: OperationNumber, _ session: String? = nil, _ body: String? = nil) throws -> Reply {
        try reply(EngineFixture.request(operation, session, body))
    }

    static func request(_ operation: OperationNumber, _ session: String? = nil, _ body: String? = nil) -> Request {
        Request(
            operation,
            path: session.map { [Request.Field("session_id", $0)] } ?? [],
            query: operation == .sessionsPromptAsync ? [Request.Field("return", "run")] : [],
            body: body.flatMap { try? JSONText(checking: $0) }
        )
    }

    func session(_ body: String = "{}") throws -> String {
        let reply = try call(.sessionsCreate, nil, body)
        return try #require(reply.json?["id"]?.string)
    }

    /// Starts a run; its id.
    func prompt(_ session: String, _ text: String = "hi") throws -> String {
        let reply = try call(.sessionsPromptAsync, session, EngineFixture.body(text))
        try #require(reply.status == 202)
        return try #require(reply.json?["runID"]?.string)
    }

    static func body(_ text: String) -> String {
        JSONWriter.object { writer in
            writer.member(
                "parts",
                array: { writer in
                    writer.object { writer in
                        writer.member("type", "text")
                        writer.member("text", text)
                    }
                }
            )
        }.text
    }

    func stream(session: String? = nil, run: String? = nil, into recorder: Recorder = Recorder()) -> (Recorder, Call) {
        let call = Call(deadline: .never)
        var query: [Request.Field] = []
        if let session { query.append(Request.Field("sessionID", session)) }
        if let run { query.append(Request.Field("runID", run)) }
        engine.start(Request(.engineStream, query: query), call, into: recorder)
        return (recorder, call)
    }

    /// The texts of a session's messages.
    func texts(_ session: String) throws -> [String] {
        (try call(.sessionsMessages, session).json?.elements ?? []).map(MessageStore.text)
    }
}

let finished = "session.run.finished"

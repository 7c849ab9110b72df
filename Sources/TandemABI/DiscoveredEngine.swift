internal import TandemContract
internal import TandemEngine
internal import TandemJSON
internal import TandemRemote
internal import TandemSystem

/// The engine that is there when the first call comes: a remote one that answers, else the embedded one.
final class DiscoveredEngine: Backend {
    private typealias Found = Result<any Backend, Failure>
    private typealias Start = @Sendable (Found) -> Void

    private enum State {
        case undecided
        /// One thread looks; what was started meanwhile waits, in its order.
        case deciding([Start])
        case decided(Found)
    }

    private let state = Monitor(State.undecided)
    /// The thread that looks where nobody waits for it.
    private let looker = Lock<Thread?>(nil)
    private let candidates: [RemoteConfiguration]
    private let openEmbedded: @Sendable () throws(Failure) -> Engine
    private let loop: EventLoop
    private let random: Random

    /// How long a candidate may take to say that it is healthy.
    private static let patienceMilliseconds: Int64 = 1_000

    init(
        _ candidates: [RemoteConfiguration],
        loop: EventLoop,
        random: Random,
        openEmbedded: @escaping @Sendable () throws(Failure) -> Engine
    ) {
        self.candidates = candidates
        self.loop = loop
        self.random = random
        self.openEmbedded = openEmbedded
    }

    var needsDefaultModel: Bool { known?.needsDefaultModel ?? true }

    var repeatsRequests: Bool { known?.repeatsRequests ?? true }

    var runsHostTools: Bool { known?.runsHostTools ?? false }

    var questionsWait: Bool { known?.questionsWait ?? false }

    var tellsResyncs: Bool { known?.tellsResyncs ?? false }

    func writeStats(to writer: inout JSONWriter) { known?.writeStats(to: &writer) }

    func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure> {
        engine(call.deadline).flatMap { $0.answer(request, call) }
    }

    func start(_ request: Request, _ call: Call, into sink: any Sink) {
        let begin: Start = { found in
            if call.isCancelled { return sink.end(.failure(Failure(.cancelled, "the operation was cancelled"))) }
            switch found {
            case .success(let engine): engine.start(request, call, into: sink)
            case .failure(let failure): sink.end(.failure(failure))
            }
        }
        let (found, isFirst): (Found?, Bool) = state.withLock { state in
            switch state {
            case .undecided:
                state = .deciding([begin])
                return (nil, true)
            case .deciding(let waiting):
                state = .deciding(waiting + [begin])
                return (nil, false)
            case .decided(let found): return (found, false)
            }
        }
        if let found { begin(found) }
        if isFirst { look() }
    }

    func close(by deadline: Deadline) -> Bool {
        let decided: Found? = state.wait(until: deadline) { state in
            switch state {
            case .deciding: return nil
            case .decided(let found): return found
            case .undecided:
                let closed = Found.failure(Failure(.closed, "the client is being closed"))
                state = .decided(closed)
                return closed
            }
        }
        guard let decided, looker.withLock({ $0 })?.join(by: deadline) ?? true else { return false }
        guard case .success(let engine) = decided else { return true }
        return engine.close(by: deadline)
    }

    private var known: (any Backend)? {
        state.withLock { if case .decided(.success(let engine)) = $0 { engine } else { nil } }
    }

    /// Decides on a thread of its own.
    private func look() {
        let thread = Thread.start("tandem-discover") { [self] in
            let found = decide()
            settle(found, .decided(found))
        }
        guard let thread else {
            return settle(.failure(Failure(.limit, "the process may start no more threads")), .undecided)
        }
        looker.withLock { $0 = thread }
    }

    /// Decides, or waits for the thread that does.
    private func engine(_ deadline: Deadline) -> Found {
        let known: Found?? = state.wait(until: deadline) { state in
            switch state {
            case .undecided:
                state = .deciding([])
                return .some(nil)
            case .deciding: return .none
            case .decided(let found): return .some(found)
            }
        }
        guard let known else { return .failure(Failure(.timeout, "the engine was not found in time")) }
        if let known { return known }
        let found = decide()
        settle(found, .decided(found))
        return found
    }

    /// Begins what waits, then changes the state: nothing that comes later overtakes it.
    private func settle(_ found: Found, _ end: State) {
        while true {
            let waiting = state.change { state -> [Start] in
                guard case .deciding(let waiting) = state, !waiting.isEmpty else {
                    state = end
                    return []
                }
                state = .deciding([])
                return waiting
            }
            if waiting.isEmpty { return }
            for begin in waiting { begin(found) }
        }
    }

    private func decide() -> Found {
        for candidate in candidates {
            let remote = Remote(candidate, loop: loop, random: random)
            if isHealthy(remote) { return .success(remote) }
            _ = remote.close(by: .passed)
        }
        do throws(Failure) { return .success(try openEmbedded()) } catch { return .failure(error) }
    }

    private func isHealthy(_ remote: Remote) -> Bool {
        guard let health = Operation.named("engine.health") else { return false }
        var options = CallOptions()
        options.retries = 0
        let call = Call(deadline: Deadline(afterMilliseconds: DiscoveredEngine.patienceMilliseconds), options: options)
        guard case .success(let reply) = remote.answer(Request(health.number), call) else { return false }
        return reply.status == 200 && reply.json?["healthy"]?.boolean == true
    }
}

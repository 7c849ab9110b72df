internal import TandemContract
internal import TandemEngine
internal import TandemJSON
internal import TandemRemote
internal import TandemSystem

/// The engine that is there when the first call comes: a remote one that answers, else the embedded one.
final class DiscoveredEngine: Backend {
    private enum State {
        case undecided
        case deciding
        case decided(any Backend)
        case failed(Failure)
    }

    private let state = Monitor(State.undecided)
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

    func writeStats(to writer: inout JSONWriter) { known?.writeStats(to: &writer) }

    func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure> {
        engine(call.deadline).flatMap { $0.answer(request, call) }
    }

    func start(_ request: Request, _ call: Call, into sink: any Sink) {
        if let known { return known.start(request, call, into: sink) }
        let thread = Thread.start("tandem-discover") { [self] in
            switch engine(call.deadline) {
            case .success(let engine): engine.start(request, call, into: sink)
            case .failure(let failure): sink.end(.failure(failure))
            }
        }
        if thread == nil { sink.end(.failure(Failure(.limit, "the process may start no more threads"))) }
    }

    func close(by deadline: Deadline) -> Bool {
        let decided: (any Backend)?? = state.wait(until: deadline) { state in
            switch state {
            case .deciding: return .none
            case .decided(let backend): return .some(backend)
            case .undecided, .failed:
                state = .failed(Failure(.closed, "the client is being closed"))
                return .some(nil)
            }
        }
        guard let decided else { return false }
        return decided?.close(by: deadline) ?? true
    }

    private var known: (any Backend)? {
        state.withLock { if case .decided(let backend) = $0 { backend } else { nil } }
    }

    /// Decides, or waits for the thread that does.
    private func engine(_ deadline: Deadline) -> Result<any Backend, Failure> {
        let found: Result<any Backend, Failure>?? = state.wait(until: deadline) { state in
            switch state {
            case .undecided:
                state = .deciding
                return .some(nil)
            case .deciding: return .none
            case .decided(let backend): return .some(.success(backend))
            case .failed(let failure): return .some(.failure(failure))
            }
        }
        guard let found else { return .failure(Failure(.timeout, "the engine was not found in time")) }
        if let found { return found }
        let result = decide()
        state.change { state in
            switch result {
            case .success(let backend): state = .decided(backend)
            case .failure(let failure): state = .failed(failure)
            }
        }
        return result
    }

    private func decide() -> Result<any Backend, Failure> {
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

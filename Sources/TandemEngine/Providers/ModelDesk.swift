internal import TandemContract
internal import TandemHTTP
internal import TandemProviders
internal import TandemSystem

/// Gives out models, and looks for a server on this machine when a prompt needs one.
final class ModelDesk: Sendable {
    private struct State {
        var found: LoopbackServer?
        /// When it was last looked, on the monotonic clock.
        var lastLook: UInt64?
        var waiting: [@Sendable () -> Void] = []
        var isLooking = false
        var models: [String: (choice: ModelChoice, model: any Model)] = [:]
    }

    private let state = Lock(State())
    private let loop: EventLoop
    private let transfers: TransferLoop
    private let configuration: EngineConfiguration

    /// In nanoseconds: how long it is believed that there is no server.
    private static let nextLook: UInt64 = 5_000_000_000

    init(_ configuration: EngineConfiguration, _ loop: EventLoop) {
        self.configuration = configuration
        self.loop = loop
        transfers = TransferLoop(loop)
    }

    func choose(_ wanted: ModelReference?, _ table: ProviderTable, _ offers: HostOffers) -> ModelSelection.Decision {
        ModelSelection.choose(wanted, table, offers.models, surroundings)
    }

    private var surroundings: ModelSelection.Surroundings {
        guard configuration.discover else { return .nothing }
        return state.withLock { state in
            if let found = state.found { return .server(found) }
            guard let last = state.lastLook, Deadline.now < last + ModelDesk.nextLook else { return .unknown }
            return .nothing
        }
    }

    func model(of choice: ModelChoice, _ run: RunNames) -> any Model {
        if choice.isHosted {
            return HostedModel(configuration.host, sessionID: run.sessionID, runID: run.runID)
        }
        if let known = state.withLock({ $0.models[choice.providerID] }), known.choice.isSameServer(as: choice) {
            return known.model
        }
        let model = make(choice)
        state.withLock { $0.models[choice.providerID] = (choice, model) }
        return model
    }

    private func make(_ choice: ModelChoice) -> any Model {
        if let make = configuration.makeModel { return make(choice.providerID) }
        guard let url = choice.baseURL else { return EchoModel(loop) }
        var options = OpenAICompatibleModel.Options(baseURL: url, apiKey: choice.key)
        options.connectTimeoutMilliseconds = configuration.connectTimeoutMilliseconds
        options.idleTimeoutMilliseconds = configuration.idleTimeoutMilliseconds
        return OpenAICompatibleModel(transfers, options)
    }

    /// Looks once for all who ask meanwhile; `done` runs on the io thread.
    func lookAround(_ done: @escaping @Sendable () -> Void) {
        let mustLook = state.withLock { state in
            state.waiting.append(done)
            defer { state.isLooking = true }
            return !state.isLooking
        }
        guard mustLook else { return }
        LoopbackDiscovery.probe(transfers, configuration.discoveryCandidates) { [self] server in
            let waiting = state.withLock { state in
                state.found = server
                state.lastLook = Deadline.now
                state.isLooking = false
                defer { state.waiting = [] }
                return state.waiting
            }
            for done in waiting { done() }
        }
    }

    /// A server that does not answer is looked for anew.
    func distrust(_ choice: ModelChoice) {
        guard choice.isFound else { return }
        state.withLock { state in
            state.found = nil
            state.lastLook = nil
        }
    }

    /// Ends all transfers.
    func close() { transfers.close() }
}

extension ModelChoice {
    fileprivate func isSameServer(as other: ModelChoice) -> Bool { baseURL == other.baseURL && key == other.key }
}

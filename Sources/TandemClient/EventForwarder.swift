internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// The way of one stream's events into an operation's queue: in the host's words, and no more than there is room for.
final class EventForwarder: Sendable {
    private struct State {
        var presenter: EventPresenter
        var wasBehind = false
        /// An event that there was no room for comes again; what was made of it is kept, because its making counts.
        var refused: (event: EngineEvent, items: [Item])?

        mutating func items(of event: EngineEvent) -> [Item] {
            guard let refused, refused.event == event else { return presenter.items(of: event) }
            self.refused = nil
            return refused.items
        }
    }

    private let client: Client
    private let id: UInt64
    private let state: Lock<State>

    /// `first`: what the contract says of the stream's first frame.
    init(
        _ client: Client,
        _ id: UInt64,
        _ options: CallOptions,
        sessionID: String?,
        runID: String?,
        first: JSONText? = nil
    ) {
        self.client = client
        self.id = id
        state = Lock(
            State(
                presenter: EventPresenter(
                    options,
                    sessionID: sessionID,
                    runID: runID,
                    first: first,
                    clock: client.clock
                )
            )
        )
    }

    /// An engine hands one stream's events over on one thread at a time.
    func take(_ events: ArraySlice<EngineEvent>) -> Int {
        for (count, event) in events.enumerated() {
            switch put(event) {
            case .taken: continue
            case .behind: return count
            case .gone: return events.count
            }
        }
        return events.count
    }

    private func put(_ event: EngineEvent) -> Mailbox.Acceptance {
        let (items, resynced) = state.withLock { state in
            let items = state.items(of: event)
            let isTold = !state.wasBehind || items.isEmpty || client.backend.tellsResyncs
            return (items, isTold ? [] : [state.presenter.resynced()])
        }
        if items.isEmpty { return .taken }
        let acceptance = client.put(resynced + items, into: id)
        state.withLock { state in
            state.wasBehind = acceptance == .behind
            if acceptance == .behind { state.refused = (event, items) }
        }
        return acceptance
    }
}

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

        /// How many items the events would have been; nil where that cannot be told without making them.
        mutating func skip(_ events: ArraySlice<EngineEvent>) -> Int? {
            if wasBehind { return nil }
            return events.reduce(0) { $0 + presenter.skip($1) }
        }
    }

    private let client: Client
    private let id: UInt64
    private let state: Lock<State>

    /// `description`: what the contract says of the stream.
    init(
        _ client: Client,
        _ id: UInt64,
        _ options: CallOptions,
        sessionID: String?,
        runID: String?,
        description: JSONText? = nil
    ) {
        self.client = client
        self.id = id
        state = Lock(
            State(
                presenter: EventPresenter(
                    options,
                    sessionID: sessionID,
                    runID: runID,
                    description: description,
                    clock: client.clock
                )
            )
        )
    }

    /// As many events are queued before those who wait are told: each waking costs more than an event.
    private static let untold = 32

    /// An engine hands one stream's events over on one thread at a time.
    func take(_ events: ArraySlice<EngineEvent>) -> Int {
        if client.throwsAway(id), let count = state.withLock({ $0.skip(events) }) {
            client.threwAway(count, of: id)
            return events.count
        }
        var untold = 0
        defer { if untold > 0 { client.tell() } }
        for (count, event) in events.enumerated() {
            switch put(event) {
            case .taken: untold += 1
            case .behind: return count
            case .gone: return events.count
            }
            if untold == EventForwarder.untold {
                client.tell()
                untold = 0
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

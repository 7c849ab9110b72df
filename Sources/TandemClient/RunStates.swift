/// The states of the runs that a stream shows: a value.
struct RunStates: Sendable {
    private var runs: [String: RunState] = [:]
    /// The run that events of a session without a run's identifier belong to.
    private var current: [String: String] = [:]
    /// In the order of their beginning, so that the oldest may go.
    private var order: [String] = []

    private static let limit = 256

    /// Takes an event in and gives its run's state after it; nil for an event of no run.
    mutating func fold(_ event: NormalizedEvent) -> RunState? {
        guard let key = key(of: event.context) else { return nil }
        if runs[key] == nil { begin(key) }
        if let session = event.context.sessionID { current[session] = key }
        runs[key]?.fold(event)
        return runs[key]
    }

    func state(of context: EventContext) -> RunState? { key(of: context).flatMap { runs[$0] } }

    private func key(of context: EventContext) -> String? {
        context.runID ?? context.sessionID.flatMap { current[$0] }
    }

    private mutating func begin(_ key: String) {
        runs[key] = RunState()
        order.append(key)
        guard order.count > RunStates.limit else { return }
        let oldest = order.removeFirst()
        runs[oldest] = nil
        current = current.filter { $0.value != oldest }
    }
}

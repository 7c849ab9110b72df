internal import TandemContract

/// The way of events to one stream's consumer; keeps what the consumer has no room for; on the loop's thread only.
final class Outlet: @unchecked Sendable {
    private let sink: any Sink
    private var pending: [EngineEvent] = []
    private var outcome: Result<Reply?, Failure>?
    private(set) var isOver = false
    /// Gets what is too much to keep, and gives what is kept in its place; nil: all is kept, and who offers stops in time.
    var drop: (([EngineEvent]) -> [EngineEvent])?

    init(_ sink: any Sink) { self.sink = sink }

    func offer(_ events: [EngineEvent]) {
        if isOver || outcome != nil || events.isEmpty { return }
        let waited = !pending.isEmpty
        pending += events
        if !waited { hand() }
        guard isFull, let drop else { return }
        let dropped = pending
        pending = []
        pending = drop(dropped)
    }

    var isWaiting: Bool { !pending.isEmpty }

    /// More waits than should be kept for one consumer.
    var isFull: Bool {
        guard pending.count > 1 else { return false }
        return pending.count > Follower.pendingEvents
            || pending.reduce(0) { $0 + EventFrame.size($1) } > Follower.pendingLimit
    }

    private func hand() { pending.removeFirst(min(sink.take(pending[...]), pending.count)) }

    /// The consumer has room.
    func resume() {
        if isOver { return }
        if !pending.isEmpty { hand() }
        if pending.isEmpty, let outcome { stop(outcome) }
    }

    /// Ends the stream, once the consumer has taken what waits for it.
    func end(_ outcome: Result<Reply?, Failure>) {
        if isOver { return }
        guard pending.isEmpty else {
            self.outcome = self.outcome ?? outcome
            return
        }
        stop(outcome)
    }

    /// Ends the stream at once.
    func stop(_ outcome: Result<Reply?, Failure>) {
        if isOver { return }
        isOver = true
        pending = []
        sink.end(outcome)
    }
}

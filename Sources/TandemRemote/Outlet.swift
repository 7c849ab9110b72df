internal import TandemContract

/// The way of events to one stream's consumer; keeps what the consumer has no room for; on the loop's thread only.
final class Outlet: @unchecked Sendable {
    private let sink: any Sink
    private var pending: [EngineEvent] = []
    private var outcome: Result<Reply?, Failure>?
    private(set) var isOver = false

    /// What may wait for a consumer that is behind or paused.
    static let limit = 65_536

    init(_ sink: any Sink) { self.sink = sink }

    func offer(_ events: [EngineEvent]) {
        if isOver || outcome != nil || events.isEmpty { return }
        if pending.isEmpty {
            pending += events.dropFirst(sink.take(events[...]))
        } else {
            pending += events
        }
        if pending.count > Outlet.limit {
            pending = []
            end(.failure(Failure(.limit, "the stream's consumer is too far behind")))
        }
    }

    /// The consumer has room.
    func resume() {
        if isOver { return }
        if !pending.isEmpty { pending.removeFirst(min(sink.take(pending[...]), pending.count)) }
        if pending.isEmpty, let outcome { end(outcome) }
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

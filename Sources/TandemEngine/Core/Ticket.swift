internal import TandemContract
internal import TandemSystem

/// One operation's end: given once, to a thread that waits or to a sink.
final class Ticket: Sendable {
    typealias Outcome = Result<Reply?, Failure>

    private let outcome = Monitor<Outcome?>(nil)
    let sink: (any Sink)?
    /// How to stop what the operation began; nil while it has begun nothing.
    let stop = Lock<(@Sendable (Failure) -> Void)?>(nil)

    init(_ sink: (any Sink)? = nil) { self.sink = sink }

    var isOver: Bool { outcome.withLock { $0 != nil } }

    /// Only the first outcome counts.
    func finish(_ outcome: Outcome) {
        let isFirst = self.outcome.change { known in
            guard known == nil else { return false }
            known = outcome
            return true
        }
        if isFirst { sink?.end(outcome) }
    }

    func wait(until deadline: Deadline) -> Outcome? { outcome.wait(until: deadline) { $0 } }
}

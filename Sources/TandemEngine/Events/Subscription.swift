internal import TandemContract

/// One stream's place in the log; touched on the engine's thread only.
final class Subscription {
    enum State {
        /// Gets events as they are committed.
        case live
        /// The consumer is behind and has to say that it has room.
        case waiting
        /// A worker reads the log and hands events over.
        case reading
    }

    let filter: EventFilter
    let ticket: Ticket
    var state: State
    /// The number of the last event that the consumer took.
    var lastSeq: Int64
    /// What stands before all events and was not taken yet.
    var opening: [EngineEvent]
    /// The newest matching event that went by while the stream was not live.
    var newestMissed: Int64 = 0
    /// The consumer said that it has room while a worker was still handing over.
    var hasRoom = false
    var isCancelled = false
    /// What the stream ends with after its last event.
    var reply: Reply?
    var failure: Failure?

    init(_ filter: EventFilter, _ ticket: Ticket, _ state: State, lastSeq: Int64, opening: [EngineEvent] = []) {
        self.filter = filter
        self.ticket = ticket
        self.state = state
        self.lastSeq = lastSeq
        self.opening = opening
    }

    var outcome: Ticket.Outcome { failure.map { .failure($0) } ?? .success(reply) }
}

internal import TandemJSON

/// What waits for the host: a queue per operation, and one order over all of them.
///
/// A value without I/O, clock or lock; `Client` keeps it behind one. Tickets stand for queued items in their order of
/// arrival. An operation that a waiter owns or that is paused has no valid tickets: `Operation.round` tells.
struct Mailbox: Sendable {
    struct Limits: Sendable, Equatable {
        var operations = 65_536
        var resultBytes = 256 * 1024 * 1024
        var queueBytes = 1024 * 1024
        var queueEvents = 4_096
    }

    struct Ticket: Sendable {
        let operation: UInt64
        let round: Int
    }

    struct Operation: Sendable {
        let tag: JSONText?
        /// The operation's own function; without one its events are the handler's or next's.
        let callback: HostFunction?
        var items = Queue<Item>()
        var bytes = 0
        var round = 0
        var liveTickets = 0
        var parkedTickets = 0
        var isOwned = false
        var isPaused = false
        var isOver = false
        /// The queue was full: the source holds the rest back until it is told to go on.
        var isBehind = false
        /// A waiter that has no function throws events away.
        var discards = false
        /// A blocking call of a stream keeps them instead.
        var collects = false
        /// How many events the operation wants, and how many it has had.
        var take: Int64?
        var accepted: Int64 = 0
        /// Text that waits for more of it; see Mailbox+Coalescing.
        var coalesces = false
        var held: Item?
        var burst = 0
        var isBurstNew = false

        /// Events of a blocking wait are shown to nobody, or only with its result.
        var showsNothing: Bool { isOwned && (discards || collects) }

        /// How many items pump and next may take: of a paused operation only what the host is asked.
        var openItems: Int {
            if isOwned { return 0 }
            return isPaused ? (0..<items.count).count { items[$0]?.host != nil } : items.count
        }

        /// Where in the queue that one of them stands.
        func place(ofOpen number: Int) -> Int? {
            guard isPaused else { return number < items.count ? number : nil }
            var left = number
            return items.firstPlace { item in
                guard item.host != nil else { return false }
                left -= 1
                return left < 0
            }
        }
    }

    var operations: [UInt64: Operation] = [:]
    var live = Queue<Ticket>()
    /// Older than all live ones: a pump went past them because no callback claims them.
    var parked = Queue<Ticket>()
    var liveCount = 0
    var parkedCount = 0
    var lastSeq: Int64 = 0
    var resultBytes = 0
    var handler: Registration?
    /// Calls of own functions that run now, and functions that have seen their last event meanwhile.
    var running: [UInt64: Int] = [:]
    var retiring: [UInt64: HostFunction] = [:]
    var retiredHandlers: [Registration] = []
    var handlerCount = 0
    /// Functions of providers by the provider's number, and those withdrawn while a call of theirs runs.
    var hostFunctions: [UInt64: Registration] = [:]
    var retiredHostFunctions: [UInt64: Registration] = [:]
    let limits: Limits
    var discarded: Int64 = 0
    var folded: Int64 = 0

    init(limits: Limits) { self.limits = limits }

    /// Whether a pump would run something: what it left unclaimed does not count.
    var hasDeliverable: Bool { liveCount > 0 }
    /// Also what waits for `next`.
    var queued: Int { liveCount + parkedCount }
    var deliverable: Int { liveCount }
    /// Tickets that are kept, also those that stand for nothing any more.
    var ticketCount: Int { live.count + parked.count }
    /// Those that were submitted: 0 stands for what belongs to none.
    var submitted: Int { operations.count - (operations[0] == nil ? 0 : 1) }
    var isFull: Bool { submitted >= limits.operations || resultBytes >= limits.resultBytes }
}

// Operations come and go.
extension Mailbox {
    mutating func open(
        _ id: UInt64,
        tag: JSONText?,
        callback: HostFunction?,
        take: Int64? = nil,
        coalesces: Bool = false
    ) {
        operations[id] = Operation(tag: tag, callback: callback, take: take, coalesces: coalesces)
    }

    mutating func setCollecting(_ id: UInt64) { operations[id]?.collects = true }

    /// A waiter takes the operation over: pump and next pass it by.
    mutating func own(_ id: UInt64) -> OwnResult {
        guard var operation = operations[id] else { return .unknown }
        if operation.isOwned { return .busy }
        invalidateTickets(of: &operation)
        operation.isOwned = true
        operation.isPaused = false
        operation.discards = operation.callback == nil && !operation.collects
        let elsewhere = operation.showsNothing ? takeUnclaimedCalls(from: &operation) : []
        operations[id] = operation
        for item in elsewhere { putCall(item) }
        forgetStaleTickets()
        return .owned
    }

    enum OwnResult { case owned, busy, unknown }

    mutating func release(_ id: UInt64) {
        guard var operation = operations[id], operation.isOwned else { return }
        operation.isOwned = false
        operation.discards = false
        issueTickets(to: &operation, id)
        operations[id] = operation
    }

    /// Pauses or goes on; false for an operation that is not there.
    mutating func pause(_ id: UInt64, _ isPaused: Bool) -> Bool {
        guard var operation = operations[id] else { return false }
        guard operation.isPaused != isPaused else { return true }
        operation.isPaused = isPaused
        issueTickets(to: &operation, id)
        operations[id] = operation
        forgetStaleTickets()
        return true
    }

    /// Whether the source may be told to go on, asked once each time.
    mutating func takeResumable(_ id: UInt64) -> Bool {
        guard var operation = operations[id], operation.isBehind, !operation.isPaused, operation.items.isEmpty else {
            return false
        }
        operation.isBehind = false
        operations[id] = operation
        return true
    }

    mutating func invalidateTickets(of operation: inout Operation) {
        liveCount -= operation.liveTickets
        parkedCount -= operation.parkedTickets
        operation.liveTickets = 0
        operation.parkedTickets = 0
        operation.round += 1
    }

    /// A host that only waits never pops a ticket: they would stay for ever.
    private mutating func forgetStaleTickets() {
        let slack = 64
        if live.count > 2 * liveCount + slack { live = stillValid(live) }
        if parked.count > 2 * parkedCount + slack { parked = stillValid(parked) }
    }

    private func stillValid(_ tickets: Queue<Ticket>) -> Queue<Ticket> {
        var tickets = tickets
        var kept = Queue<Ticket>()
        while let ticket = tickets.popFirst() { if valid(ticket) != nil { kept.append(ticket) } }
        return kept
    }

    mutating func issueTickets(to operation: inout Operation, _ id: UInt64) {
        invalidateTickets(of: &operation)
        let count = operation.openItems
        operation.liveTickets = count
        liveCount += count
        for _ in 0..<count { live.append(Ticket(operation: id, round: operation.round)) }
    }

    /// A handler came: what no callback claimed is claimed now.
    mutating func unpark() {
        guard parkedCount > 0 else { return }
        var all = Queue<Ticket>()
        while let ticket = parked.popFirst() { all.append(ticket) }
        while let ticket = live.popFirst() { all.append(ticket) }
        live = all
        for (id, var operation) in operations where operation.parkedTickets > 0 {
            operation.liveTickets += operation.parkedTickets
            operation.parkedTickets = 0
            operations[id] = operation
        }
        liveCount += parkedCount
        parkedCount = 0
    }
}

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

        var isOpenToPump: Bool { !isOwned && !isPaused }
    }

    private(set) var operations: [UInt64: Operation] = [:]
    private var live = Queue<Ticket>()
    /// Older than all live ones: a pump went past them because no callback claims them.
    private var parked = Queue<Ticket>()
    private var liveCount = 0
    private var parkedCount = 0
    private(set) var lastSeq: Int64 = 0
    private(set) var resultBytes = 0
    private var handler: Registration?
    /// Calls of own functions that run now, and functions that have seen their last event meanwhile.
    private var running: [UInt64: Int] = [:]
    private var retiring: [UInt64: HostFunction] = [:]
    private var retiredHandlers: [Registration] = []
    private var handlerCount = 0
    let limits: Limits
    private(set) var discarded: Int64 = 0
    private(set) var folded: Int64 = 0

    init(limits: Limits) { self.limits = limits }

    /// Whether a pump would run something: what it left unclaimed does not count (kernel.md K12).
    var hasDeliverable: Bool { liveCount > 0 }
    /// Also what waits for `next`.
    var queued: Int { liveCount + parkedCount }
    var deliverable: Int { liveCount }
    /// Tickets that are kept, also those that stand for nothing any more.
    var ticketCount: Int { live.count + parked.count }
    var isFull: Bool { operations.count >= limits.operations || resultBytes >= limits.resultBytes }
}

// Operations come and go.
extension Mailbox {
    mutating func open(_ id: UInt64, tag: JSONText?, callback: HostFunction?) {
        operations[id] = Operation(tag: tag, callback: callback)
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
        operations[id] = operation
        forgetStaleTickets()
        return .owned
    }

    enum OwnResult { case owned, busy, unknown }

    mutating func release(_ id: UInt64) {
        guard var operation = operations[id], operation.isOwned else { return }
        operation.isOwned = false
        operation.discards = false
        if operation.isOpenToPump { issueTickets(to: &operation, id) }
        operations[id] = operation
    }

    /// Pauses or goes on; nil for an operation that is not there.
    mutating func pause(_ id: UInt64, _ isPaused: Bool) -> Bool {
        guard var operation = operations[id] else { return false }
        guard operation.isPaused != isPaused else { return true }
        operation.isPaused = isPaused
        if isPaused {
            invalidateTickets(of: &operation)
        } else if operation.isOpenToPump {
            issueTickets(to: &operation, id)
        }
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

    private mutating func invalidateTickets(of operation: inout Operation) {
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

    private mutating func issueTickets(to operation: inout Operation, _ id: UInt64) {
        invalidateTickets(of: &operation)
        operation.liveTickets = operation.items.count
        liveCount += operation.items.count
        for _ in 0..<operation.items.count { live.append(Ticket(operation: id, round: operation.round)) }
    }

    /// A handler came: what no callback claimed is claimed now.
    private mutating func unpark() {
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

// Items go in.
extension Mailbox {
    enum Acceptance { case taken, behind, gone }

    /// Queues an event; forced: also where the operation's queue is full.
    mutating func put(_ item: Item, into id: UInt64, isForced: Bool = false) -> Acceptance {
        guard var operation = operations[id], !operation.isOver else { return .gone }
        if operation.isOwned, operation.discards {
            discarded += 1
            return .taken
        }
        let isOverLimit =
            operation.items.count >= limits.queueEvents || operation.bytes + item.bytes > limits.queueBytes
        if isOverLimit && fold(item, into: &operation) {
            operations[id] = operation
            folded += 1
            return .taken
        }
        if !isForced, operation.isPaused || operation.isBehind || isOverLimit && !operation.items.isEmpty {
            operation.isBehind = true
            operations[id] = operation
            return .behind
        }
        append(item, to: &operation, id)
        operations[id] = operation
        return .taken
    }

    /// The operation's last event; queued whatever the limits say.
    mutating func finish(_ id: UInt64, _ result: JSONText) -> Bool {
        guard var operation = operations[id], !operation.isOver else { return false }
        operation.isOver = true
        resultBytes += result.bytes.count
        append(Item(content: .done(result), context: nil), to: &operation, id)
        operations[id] = operation
        return true
    }

    private mutating func append(_ item: Item, to operation: inout Operation, _ id: UInt64) {
        operation.items.append(item)
        operation.bytes += item.bytes
        guard operation.isOpenToPump else { return }
        operation.liveTickets += 1
        liveCount += 1
        live.append(Ticket(operation: id, round: operation.round))
    }

    /// Joins a text delta to the delta before it.
    private func fold(_ item: Item, into operation: inout Operation) -> Bool {
        guard case .delta(let more) = item.content, let last = operation.items.last,
            case .delta(var escaped) = last.content, let before = last.context, let context = item.context,
            before.isSameRun(as: context), escaped.count + more.count <= limits.queueBytes
        else { return false }
        escaped += more
        operation.bytes += more.count
        operation.items.replaceLast(Item(content: .delta(escaped: escaped), context: before))
        return true
    }
}

// Items come out.
extension Mailbox {
    struct Delivery: Sendable {
        let operation: UInt64
        let text: [UInt8]
        /// Whose function runs; nil: nobody's, `next` or a waiter has it.
        let callback: Claim?
        /// The operation's result, where this was its last event.
        let result: JSONText?
    }

    enum Claim: Equatable, Sendable {
        case own(HostFunction)
        case handler(HostFunction, number: Int)

        var host: HostFunction {
            switch self {
            case .own(let host), .handler(let host, _): host
            }
        }
    }

    /// The oldest item that a callback claims; older ones that none claims are parked on the way.
    mutating func takeForPump() -> Delivery? {
        while let ticket = live.popFirst() {
            guard var operation = valid(ticket) else { continue }
            operation.liveTickets -= 1
            liveCount -= 1
            if let claim = claim(of: operation) { return take(ticket.operation, operation, claim) }
            operation.parkedTickets += 1
            parkedCount += 1
            operations[ticket.operation] = operation
            parked.append(ticket)
        }
        return nil
    }

    enum Oldest { case none, unclaimed, claimed }

    /// What `next` meets first.
    mutating func oldest() -> Oldest {
        dropStale()
        if !parked.isEmpty { return .unclaimed }
        guard let ticket = live.first, let operation = operations[ticket.operation] else { return .none }
        return claim(of: operation) == nil ? .unclaimed : .claimed
    }

    /// The oldest item if no callback claims it.
    mutating func takeUnclaimed() -> Delivery? {
        guard oldest() == .unclaimed else { return nil }
        let isParked = !parked.isEmpty
        guard let ticket = isParked ? parked.popFirst() : live.popFirst(), var operation = valid(ticket) else {
            return nil
        }
        if isParked {
            operation.parkedTickets -= 1
            parkedCount -= 1
        } else {
            operation.liveTickets -= 1
            liveCount -= 1
        }
        return take(ticket.operation, operation, nil)
    }

    /// The next item of an operation that the caller owns.
    mutating func takeOwned(_ id: UInt64) -> Delivery? {
        guard var operation = operations[id], operation.isOwned else { return nil }
        if operation.discards { dropEvents(&operation) }
        guard !operation.items.isEmpty else {
            operations[id] = operation
            return nil
        }
        return take(id, operation, operation.callback.map { .own($0) }, isSilent: operation.discards)
    }

    /// Every operation's last event, for a client that closes; other events are thrown away.
    mutating func takeDoneForClose() -> Delivery? {
        for (id, var operation) in operations where operation.isOver {
            invalidateTickets(of: &operation)
            dropEvents(&operation)
            return take(id, operation, claim(of: operation))
        }
        return nil
    }

    private mutating func dropEvents(_ operation: inout Operation) {
        while let item = operation.items.first {
            if case .done = item.content { return }
            _ = operation.items.popFirst()
            operation.bytes -= item.bytes
            discarded += 1
        }
    }

    private mutating func dropStale() {
        while let ticket = parked.first, valid(ticket) == nil { _ = parked.popFirst() }
        while let ticket = live.first, valid(ticket) == nil { _ = live.popFirst() }
    }

    private func valid(_ ticket: Ticket) -> Operation? {
        guard let operation = operations[ticket.operation], operation.round == ticket.round else { return nil }
        return operation
    }

    private func claim(of operation: Operation) -> Claim? {
        operation.callback.map { .own($0) } ?? handler.map { .handler($0.host, number: $0.number) }
    }

    /// Takes the first item out; silent: it is not shown to anybody, so it uses up no number.
    private mutating func take(
        _ id: UInt64,
        _ operation: Operation,
        _ claim: Claim?,
        isSilent: Bool = false
    ) -> Delivery? {
        var operation = operation
        guard let item = operation.items.popFirst() else { return nil }
        operation.bytes -= item.bytes
        if !isSilent { lastSeq += 1 }
        let text = isSilent ? [] : item.text(operation: id, seq: lastSeq, tag: operation.tag)
        if let claim { began(claim, id) }
        guard case .done(let result) = item.content else {
            operations[id] = operation
            return Delivery(operation: id, text: text, callback: claim, result: nil)
        }
        resultBytes -= result.bytes.count
        invalidateTickets(of: &operation)
        operations[id] = nil
        if let callback = operation.callback { retiring[id] = callback }
        return Delivery(operation: id, text: text, callback: claim, result: result)
    }
}

// Host functions live as long as a call of them runs.
extension Mailbox {
    private mutating func began(_ claim: Claim, _ id: UInt64) {
        switch claim {
        case .own: running[id, default: 0] += 1
        case .handler: handler?.running += 1
        }
    }

    /// A callback returned; gives the function that is to be dropped now, if any.
    mutating func ended(_ claim: Claim, _ id: UInt64) -> HostFunction? {
        switch claim {
        case .own:
            let left = running[id, default: 1] - 1
            running[id] = left > 0 ? left : nil
            return left > 0 ? nil : retiring.removeValue(forKey: id)
        case .handler(_, let number):
            if handler?.number == number {
                handler?.running -= 1
                return nil
            }
            guard let index = retiredHandlers.firstIndex(where: { $0.number == number }) else { return nil }
            retiredHandlers[index].running -= 1
            return retiredHandlers[index].running > 0 ? nil : retiredHandlers.remove(at: index).host
        }
    }

    /// Puts another handler in force; gives the old one if it can be dropped at once.
    mutating func setHandler(_ host: HostFunction?) -> HostFunction? {
        let old = handler
        handlerCount += 1
        handler = host.map { Registration(host: $0, number: handlerCount) }
        if host != nil { unpark() }
        guard let old else { return nil }
        if old.running == 0 { return old.host }
        retiredHandlers.append(old)
        return nil
    }

    /// Callbacks that run on some thread.
    var runningCallbacks: Int {
        running.values.reduce(0, +) + (handler?.running ?? 0) + retiredHandlers.reduce(0) { $0 + $1.running }
    }
}

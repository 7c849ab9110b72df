internal import TandemJSON

// Items go in.
extension Mailbox {
    enum Acceptance { case taken, behind, gone }

    /// Queues an event; forced: also where the operation's queue is full.
    mutating func put(_ item: Item, into id: UInt64, isForced: Bool = false) -> Acceptance {
        guard var operation = operations[id], !operation.isOver else { return .gone }
        if operation.isOwned, operation.discards {
            operation.accepted += 1
            operations[id] = operation
            discarded += 1
            return .taken
        }
        if operation.coalesces, item.isText, hold(item, in: &operation) {
            operations[id] = operation
            return .taken
        }
        releaseHeld(of: &operation, id)
        if operation.hasEnough {
            operations[id] = operation
            return .gone
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
        if operation.coalesces, item.isText {
            begin(item, in: &operation)
        } else {
            append(item, to: &operation, id)
        }
        operations[id] = operation
        return .taken
    }

    func throwsAway(_ id: UInt64) -> Bool {
        guard let operation = operations[id] else { return false }
        return operation.isOwned && operation.discards && operation.take == nil && !operation.isOver
    }

    mutating func threwAway(_ count: Int, of id: UInt64) {
        operations[id]?.accepted += Int64(count)
        discarded += Int64(count)
    }

    /// The operation's last event; queued whatever the limits say.
    mutating func finish(_ id: UInt64, _ result: JSONText) -> Bool {
        guard var operation = operations[id], !operation.isOver else { return false }
        releaseHeld(of: &operation, id)
        operation.isOver = true
        resultBytes += result.bytes.count
        append(Item(content: .done(result), context: nil), to: &operation, id)
        operations[id] = operation
        return true
    }

    mutating func append(_ item: Item, to operation: inout Operation, _ id: UInt64) {
        operation.items.append(item)
        operation.bytes += item.bytes
        if item.host == nil { operation.accepted += 1 }
        guard !operation.isOwned, !operation.isPaused || item.host != nil else { return }
        operation.liveTickets += 1
        liveCount += 1
        live.append(Ticket(operation: id, round: operation.round))
    }

    /// Joins a text delta to the delta before it.
    private func fold(_ item: Item, into operation: inout Operation) -> Bool {
        guard let last = operation.items.last, let joined = last.joined(with: item, upTo: limits.queueBytes) else {
            return false
        }
        operation.bytes += joined.bytes - last.bytes
        operation.items.replaceLast(joined)
        return true
    }
}

// Items come out.
extension Mailbox {
    struct Delivery: Sendable {
        let operation: UInt64
        /// What the host is asked, where this is that.
        var host: HostItem?
        let text: [UInt8]
        /// Whose function runs; nil: nobody's, `next` or a waiter has it.
        let callback: Claim?
        /// The operation's result, where this was its last event.
        let result: JSONText?
    }

    enum Claim: Equatable, Sendable {
        case own(HostFunction)
        case handler(HostFunction, number: Int)
        /// The function of a provider.
        case provider(HostFunction, UInt64)

        var host: HostFunction {
            switch self {
            case .own(let host), .handler(let host, _), .provider(let host, _): host
            }
        }
    }

    /// The oldest item that a callback claims; older ones that none claims are parked on the way.
    mutating func takeForPump() -> Delivery? {
        while let ticket = live.popFirst() {
            guard var operation = valid(ticket), let place = operation.place(ofOpen: operation.parkedTickets) else {
                continue
            }
            operation.liveTickets -= 1
            liveCount -= 1
            if let claim = claim(of: operation, at: place) {
                return take(ticket.operation, operation, claim, at: place)
            }
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
        guard let ticket = live.first, let operation = operations[ticket.operation],
            let place = operation.place(ofOpen: 0)
        else { return .none }
        return claim(of: operation, at: place) == nil ? .unclaimed : .claimed
    }

    /// The oldest item if no callback claims it.
    mutating func takeUnclaimed() -> Delivery? {
        guard oldest() == .unclaimed else { return nil }
        let isParked = !parked.isEmpty
        guard let ticket = isParked ? parked.popFirst() : live.popFirst(), var operation = valid(ticket),
            let place = operation.place(ofOpen: 0)
        else { return nil }
        if isParked {
            operation.parkedTickets -= 1
            parkedCount -= 1
        } else {
            operation.liveTickets -= 1
            liveCount -= 1
        }
        return take(ticket.operation, operation, nil, at: place)
    }

    /// The next item of an operation that the caller owns.
    mutating func takeOwned(_ id: UInt64) -> Delivery? {
        guard var operation = operations[id], operation.isOwned else { return nil }
        if operation.discards { dropEvents(&operation, keepsCalls: true) }
        guard let item = operation.items.first else {
            operations[id] = operation
            return nil
        }
        let claim = item.host.flatMap { self.claim(of: $0) } ?? operation.callback.map { Claim.own($0) }
        return take(id, operation, claim, isSilent: operation.discards && item.host == nil)
    }

    /// Every operation's last event, for a client that closes; other events are thrown away.
    mutating func takeDoneForClose() -> Delivery? {
        // Looked up, not looped over: a loop holds the dictionary, and each change would copy all of it.
        guard let id = operations.first(where: { $0.value.isOver })?.key, var operation = operations[id] else {
            return nil
        }
        invalidateTickets(of: &operation)
        dropEvents(&operation)
        return take(id, operation, claim(of: operation, at: 0))
    }

    private mutating func dropEvents(_ operation: inout Operation, keepsCalls: Bool = false) {
        while let item = operation.items.first {
            if case .done = item.content { return }
            if keepsCalls, item.host != nil { return }
            _ = operation.items.popFirst()
            operation.bytes -= item.bytes
            discarded += 1
        }
    }

    private mutating func dropStale() {
        while let ticket = parked.first, valid(ticket) == nil { _ = parked.popFirst() }
        while let ticket = live.first, valid(ticket) == nil { _ = live.popFirst() }
    }

    func valid(_ ticket: Ticket) -> Operation? {
        guard let operation = operations[ticket.operation], operation.round == ticket.round else { return nil }
        return operation
    }

    /// Whose function gets the item there.
    func claim(of operation: Operation, at place: Int) -> Claim? {
        operation.items[place]?.host.flatMap { claim(of: $0) } ?? operation.callback.map { .own($0) }
            ?? handler.map { .handler($0.host, number: $0.number) }
    }

    /// Takes an item out; silent: it is not shown to anybody, so it uses up no number.
    private mutating func take(
        _ id: UInt64,
        _ operation: Operation,
        _ claim: Claim?,
        at place: Int = 0,
        isSilent: Bool = false
    ) -> Delivery? {
        var operation = operation
        guard let item = operation.items.remove(at: place) else { return nil }
        operation.bytes -= item.bytes
        if !isSilent { lastSeq += 1 }
        let shown = item.host?.operation ?? id
        let text = isSilent ? [] : item.text(operation: shown, seq: lastSeq, tag: operation.tag)
        if let claim { began(claim, id) }
        guard case .done(let result) = item.content else {
            operations[id] = operation
            return Delivery(operation: id, host: item.host, text: text, callback: claim, result: nil)
        }
        resultBytes -= result.bytes.count
        invalidateTickets(of: &operation)
        operations[id] = nil
        if let callback = operation.callback { retiring[id] = callback }
        return Delivery(operation: id, text: text, callback: claim, result: result)
    }
}

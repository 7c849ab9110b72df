// Text that arrives within a short time is one event (the option coalesce_ms).
//
// The first delta of a burst is held until its time is over or anything else comes; more text joins it meanwhile. The
// time is the client's to watch: it asks for bursts that began and says when one is over.
extension Mailbox {
    /// Joins text to the text that is held; false when nothing is, or it does not belong there.
    func hold(_ item: Item, in operation: inout Operation) -> Bool {
        guard let held = operation.held, let joined = held.joined(with: item, upTo: limits.queueBytes) else {
            return false
        }
        operation.held = joined
        return true
    }

    func begin(_ item: Item, in operation: inout Operation) {
        operation.held = item
        operation.burst += 1
        operation.isBurstNew = true
    }

    /// Queues what is held: something else comes after it.
    mutating func releaseHeld(of operation: inout Operation, _ id: UInt64) {
        guard let held = operation.held else { return }
        operation.held = nil
        operation.isBurstNew = false
        for part in held.parts where !operation.hasEnough { append(part, to: &operation, id) }
    }

    /// The burst that began since this was last asked and is not over.
    mutating func takeNewBurst(_ id: UInt64) -> Int? {
        guard operations[id]?.isBurstNew == true else { return nil }
        operations[id]?.isBurstNew = false
        return operations[id]?.burst
    }

    /// A burst's time is over.
    mutating func endBurst(_ burst: Int, of id: UInt64) {
        guard var operation = operations[id], operation.burst == burst else { return }
        releaseHeld(of: &operation, id)
        operations[id] = operation
    }

    /// Whether the operation has had as many events as it wants.
    func hasEnough(_ id: UInt64) -> Bool { operations[id]?.hasEnough ?? false }
}

extension Mailbox.Operation {
    var hasEnough: Bool { take.map { accepted >= $0 } ?? false }
}

internal import TandemContract
internal import TandemJSON
internal import TandemSystem

// Pump and next: what is queued, oldest first.
extension Turn {
    func stepPump() -> Step {
        while true {
            let epoch = client.host.signal.epoch
            if limit.map({ count >= $0 }) ?? false { return endPump(Int32(clamping: count)) }
            let (delivery, queued, isClosing) = client.state.withLock { state in
                let queued = state.mailbox.deliverable
                return (state.isClosing ? nil : state.mailbox.takeForPump(), queued, state.isClosing)
            }
            if isClosing { return endPump(FailureName.closed.code) }
            if let delivery {
                if limit == nil { limit = queued }
                count += 1
                if let step = deliver(delivery) { return step }
                continue
            }
            if count > 0 || client.host.takeWoken() || waits(after: epoch) { return endPump(Int32(clamping: count)) }
        }
    }

    func stepNext() -> Step {
        while true {
            let epoch = client.host.signal.epoch
            if limit.map({ count >= $0 }) ?? false { return endNext() }
            let (next, queued) = client.state.withLock { state in
                let queued = state.mailbox.queued
                return (state.isClosing ? .closing : nextItem(&state.mailbox), queued)
            }
            switch next {
            case .closing:
                client.change { Turn.endPumping(&$0) }
                return over(Client.closedFailure)
            case .item(let delivery):
                if limit == nil { limit = queued }
                count += 1
                if let step = deliver(delivery) { return step }
                batch.append(delivery.text)
            case .endOfBatch: return endNext()
            case .nothing: if count > 0 || client.host.takeWoken() || waits(after: epoch) { return endNext() }
            }
        }
    }

    private enum Next {
        case item(Mailbox.Delivery)
        /// The next event has a callback: what was collected is returned before it.
        case endOfBatch
        case nothing
        case closing
    }

    private func nextItem(_ mailbox: inout Mailbox) -> Next {
        switch mailbox.oldest() {
        case .none: .nothing
        case .unclaimed: mailbox.takeUnclaimed().map { .item($0) } ?? .nothing
        case .claimed: batch.isEmpty ? mailbox.takeForPump().map { .item($0) } ?? .nothing : .endOfBatch
        }
    }

    private func endPump(_ status: Int32) -> Step {
        client.change { Turn.endPumping(&$0) }
        return over(status)
    }

    private func endNext() -> Step {
        client.change { Turn.endPumping(&$0) }
        return over(
            0,
            JSONWriter.object { writer in
                writer.member("ok", array: { writer in for text in batch { writer.raw(text) } })
            }
        )
    }

    private static func endPumping(_ state: inout Client.State) {
        state.isPumping = false
        state.isArmed = true
    }
}

internal import TandemContract
package import TandemJSON
internal import TandemSystem

/// A call that may run host callbacks, step by step: the C side runs what a step says and asks again.
///
/// Used by one thread. Between two steps no Swift frame of it is on the stack.
package final class Turn {
    package enum Step {
        /// Run the function with this event.
        case event(HostFunction, operation: UInt64, text: [UInt8], isHostCall: Bool = false)
        /// Run the provider's function with this call, which belongs to that operation.
        case hostCall(HostFunction, call: UInt64, operation: UInt64, text: [UInt8])
        /// Release what the host gave.
        case drop(HostFunction)
        /// The call is over.
        case over(status: Int32, result: JSONText?)
    }

    enum Kind {
        case pump
        case next
        /// `wait`, and a blocking call of a stream.
        case wait(UInt64, Operation?)
        case close
    }

    let client: Client
    let kind: Kind
    let deadline: Deadline
    /// How many events may come; nil: what is queued when the first is there.
    var limit: Int?
    var count = 0
    var batch: [[UInt8]] = []
    private var current: (claim: Mailbox.Claim, operation: UInt64)?
    private var result: JSONText?

    init(_ client: Client, _ kind: Kind, limit: Int?, deadline: Deadline) {
        self.client = client
        self.kind = kind
        self.limit = limit
        self.deadline = deadline
    }

    package func step() -> Step {
        if let dropped = finishCallback() { return .drop(dropped) }
        switch kind {
        case .pump: return stepPump()
        case .next: return stepNext()
        case .wait(let id, let operation): return stepWait(id, operation)
        case .close: return stepClose()
        }
    }

    /// Books the callback that has returned; gives the function that it was the last call of.
    private func finishCallback() -> HostFunction? {
        guard let (claim, id) = current else { return nil }
        current = nil
        return client.change { $0.mailbox.ended(claim, id) }
    }

    func deliver(_ delivery: Mailbox.Delivery) -> Step? {
        client.resumeIfDrained(delivery.operation)
        guard let claim = delivery.callback else { return nil }
        current = (claim, delivery.operation)
        let text = delivery.text
        guard let asked = delivery.host else { return .event(claim.host, operation: delivery.operation, text: text) }
        if case .provider(let function, _) = claim {
            return .hostCall(function, call: asked.call, operation: asked.operation, text: text)
        }
        return .event(claim.host, operation: asked.operation, text: text, isHostCall: true)
    }

    /// Waits for something to change; true when the turn has to end instead.
    func waits(after epoch: UInt32) -> Bool {
        if client.loop.attend(until: deadline) { return false }
        if deadline.hasPassed { return true }
        client.host.signal.wait(whileEpoch: epoch, until: deadline)
        return false
    }

    func over(_ status: Int32, _ result: JSONText? = nil) -> Step { .over(status: status, result: result) }

    func over(_ failure: Failure, _ operation: String? = nil) -> Step {
        .over(status: failure.name.code, result: failure.json(operation: operation))
    }

    private func stepWait(_ id: UInt64, _ operation: Operation?) -> Step {
        if let result { return over(0, result) }
        while true {
            let epoch = client.host.signal.epoch
            // What is queued when the client closes is for the thread that closes it.
            let (delivery, isClosing) = client.state.withLock { state in
                (state.isClosing ? nil : state.mailbox.takeOwned(id), state.isClosing)
            }
            if let delivery {
                result = delivery.result.map { answer($0, operation) }
                if operation != nil, delivery.result == nil { batch.append(delivery.text) }
                if let step = deliver(delivery) { return step }
                if let result { return over(0, result) }
                continue
            }
            if isClosing { return over(Client.closedFailure) }
            // Taking over made room: it lifted a pause, or threw away what nobody is shown.
            client.resumeIfDrained(id)
            if waits(after: epoch) {
                client.change { $0.mailbox.release(id) }
                return over(Failure(.pending, "the operation goes on"), nil)
            }
        }
    }

    /// A blocking call of a stream gives its events; time running out is no error there (tandem.h, OPERATIONS).
    private func answer(_ result: JSONText, _ operation: Operation?) -> JSONText {
        guard operation != nil else { return result }
        let isTimeout = result.at("error", "name")?.string == FailureName.timeout.rawValue
        guard isTimeout || result["ok"] != nil else { return result }
        return JSONWriter.object { writer in
            writer.member(
                "ok",
                object: { writer in
                    writer.member("events", array: { writer in for text in batch { writer.raw(text) } })
                    writer.member("ended", result.at("ok", "ended")?.boolean ?? false)
                }
            )
        }
    }
}

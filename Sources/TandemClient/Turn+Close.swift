internal import TandemContract
internal import TandemSystem

// Closing: everything ends, every function is dropped, every thread is joined (tandem.h, tandem_close).
extension Client {
    /// From here on only `close` may follow; false when another close has finished.
    package func startClosing() -> Bool {
        let calls: [Call]? = change { state in
            if state.isClosed { return nil }
            state.isClosing = true
            return Array(state.blocked.values)
        }
        guard let calls else { return false }
        for call in calls { call.cancel() }
        return true
    }

    package func beginClose(timeoutMilliseconds: Int32) -> Beginning {
        guard startClosing() else { return .failed(Client.closedFailure) }
        return .turn(
            Turn(self, .close, limit: nil, deadline: Deadline(afterMilliseconds: Int64(timeoutMilliseconds)))
        )
    }
}

extension Turn {
    func stepClose() -> Step {
        for id in client.runningIDs() {
            let call = client.state.withLock { $0.running[id]?.call }
            client.end(id, .failure(Failure(.cancelled, "the client is being closed")))
            call?.cancel()
        }
        while let delivery = client.state.withLock({ $0.mailbox.takeDoneForClose() }) {
            if let step = deliver(delivery) { return step }
        }
        if let dropped = client.setHandler(nil) { return .drop(dropped) }
        client.decisions.close()
        client.forgetHostCalls()
        if !waitForCallbacks() { return over(FailureName.pending.code) }
        if let dropped = client.takeHostFunction() { return .drop(dropped) }
        if let dropped = client.setWakeup(nil) { return .drop(dropped) }
        if let pumper = client.pumper.withLock({ $0 }), !pumper.isCurrent, !pumper.join(by: deadline) {
            return over(FailureName.pending.code)
        }
        guard let isMine = claimEnding() else { return over(FailureName.pending.code) }
        guard isMine else { return over(Client.closedFailure) }
        guard client.backend.close(by: deadline), client.loop.stop(by: deadline) else {
            client.change { $0.isEnding = false }
            return over(FailureName.pending.code)
        }
        client.change { state in
            state.isClosed = true
            state.descriptor?.close()
            state.descriptor = nil
        }
        return over(0)
    }

    /// True for the one thread that may end the engine, false when another has done it, nil when time ran out.
    private func claimEnding() -> Bool? {
        while true {
            let epoch = client.host.signal.epoch
            let isMine: Bool? = client.state.withLock { state in
                if state.isClosed { return false }
                if state.isEnding { return nil }
                state.isEnding = true
                return true
            }
            if let isMine { return isMine }
            if waits(after: epoch) { return nil }
        }
    }

    /// No callback may run after close has returned 0.
    private func waitForCallbacks() -> Bool {
        while true {
            let epoch = client.host.signal.epoch
            let isQuiet = client.state.withLock { state in
                // Also until the runs that are being cancelled are.
                state.mailbox.runningCallbacks == 0 && state.blocked.isEmpty && state.wakeup?.running ?? 0 == 0
                    && state.conversations == 0
            }
            if isQuiet { return true }
            if waits(after: epoch) { return false }
        }
    }
}

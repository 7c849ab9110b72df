package import TandemContract
package import TandemJSON
internal import TandemSystem

// What the host is asked, and its replies.
extension Client {
    /// Queues a call for the host; nil where nobody offers that.
    func ask(_ call: HostCall, _ receiver: any HostReceiver) -> UInt64? {
        let id = OperationID.next(slot: host.slot, .call)
        let line = ReplyLine(receiver, loop)
        let deadline: Deadline? = change { state in
            guard !state.isClosing, let provider = state.hosts.provider(of: call) else { return nil }
            let operation = call.operation ?? call.sessionID.flatMap { state.owners.owner(of: $0) } ?? 0
            let timeout = call.timeoutMilliseconds ?? provider.offer.timeoutMilliseconds
            let pending = HostBook.Pending(
                call: call,
                provider: provider,
                operation: operation,
                tag: operation == 0 ? nil : state.mailbox.operations[operation]?.tag,
                line: line,
                timeoutMilliseconds: timeout,
                deadline: Deadline(afterMilliseconds: timeout)
            )
            state.hosts.pending[id] = pending
            state.hosts.lines[id] = line
            state.mailbox.putCall(pending.item(id))
            return pending.deadline
        }
        guard let deadline else { return nil }
        watch(id, until: deadline)
        return id
    }

    /// How long the host may take for that; nil where nobody offers it.
    func timeout(of call: HostCall) -> Int64? {
        state.withLock { $0.hosts.provider(of: call)?.offer.timeoutMilliseconds }
    }

    /// The reply is not wanted any more; when this has returned the receiver hears nothing.
    func cancelCall(_ id: UInt64, reason: String) {
        let pending = finishCall(id, telling: reason)
        if let timer = pending?.timer { loop.cancelTimer(timer) }
        state.withLock { $0.hosts.lines.removeValue(forKey: id) }?.close()
    }

    /// Takes the host's reply: 0, or the status that says why not.
    ///
    /// A reply that cannot be read is the call's failure.
    package func reply(_ id: UInt64, _ reply: Result<JSONText, Failure>) -> Int32 {
        guard isOwn(id, .call) else { return FailureName.invalidArgument.code }
        guard let kind = state.withLock({ $0.hosts.pending[id]?.call.kind }) else { return FailureName.gone.code }
        let outcome: Result<JSONText, Failure>
        var status: Int32 = 0
        do throws(HostReply.Fault) {
            outcome = try HostReply.read(try HostReply.checked(reply), kind)
        } catch {
            outcome = .failure(error.failure)
            status = FailureName.invalidArgument.code
        }
        guard let pending = finishCall(id, telling: nil) else { return FailureName.gone.code }
        end(id, pending, outcome)
        return status
    }

    /// Takes a piece of the host's reply.
    package func replyChunk(_ id: UInt64, _ chunk: Result<JSONText, Failure>) -> Int32 {
        guard isOwn(id, .call) else { return FailureName.invalidArgument.code }
        guard let pending = state.withLock({ $0.hosts.pending[id] }) else { return FailureName.gone.code }
        let kind = pending.call.kind
        guard kind == .model || kind == .tool else { return FailureName.invalidArgument.code }
        do throws(HostReply.Fault) {
            let piece = try HostReply.chunk(try HostReply.checked(chunk), kind)
            guard pending.line.send(piece) else { return FailureName.limit.code }
            if kind == .model {
                state.withLock {
                    $0.hosts.pending[id]?.deadline = Deadline(afterMilliseconds: pending.timeoutMilliseconds)
                }
            }
            return 0
        } catch {
            // No reply of the host's, so its other threads learn that none is wanted any more.
            let reason = FailureName.hostFailed.rawValue
            if let pending = finishCall(id, telling: reason) { end(id, pending, .failure(error.failure)) }
            return FailureName.invalidArgument.code
        }
    }

    /// 1 while a reply is wanted, then 0; else a status.
    package func isReplyWanted(_ id: UInt64) -> Int32 {
        guard isOwn(id, .call) else { return FailureName.invalidArgument.code }
        return state.withLock { $0.hosts.pending[id] } == nil ? 0 : 1
    }

    /// The call is over: the host is told why, where it has been shown the call and has not replied itself.
    private func finishCall(_ id: UInt64, telling reason: String?) -> HostBook.Pending? {
        change { state in
            guard let pending = state.hosts.pending.removeValue(forKey: id) else { return nil }
            let wasShown = !state.mailbox.removeCall(id, of: pending.operation)
            let isHeard = !pending.provider.hasFunction || state.mailbox.hostFunctions[pending.provider.id] != nil
            if let reason, wasShown, isHeard { state.mailbox.putCall(pending.end(id, reason)) }
            return pending
        }
    }

    func end(_ id: UInt64, _ pending: HostBook.Pending, _ outcome: Result<JSONText, Failure>) {
        if let timer = pending.timer { loop.cancelTimer(timer) }
        pending.line.end(outcome) { [weak self] in _ = self?.state.withLock { $0.hosts.lines.removeValue(forKey: id) } }
    }

    /// Sets the timer of a call.
    private func watch(_ id: UInt64, until deadline: Deadline) {
        let timer = loop.after(deadline) { [weak self] in self?.isDue(id) }
        let isPending = state.withLock { state in
            state.hosts.pending[id]?.timer = timer
            return state.hosts.pending[id] != nil
        }
        if !isPending { loop.cancelTimer(timer) }
    }

    private func isDue(_ id: UInt64) {
        guard let deadline = state.withLock({ $0.hosts.pending[id]?.deadline }) else { return }
        guard deadline.hasPassed else { return watch(id, until: deadline) }
        guard let pending = finishCall(id, telling: FailureName.hostTimeout.rawValue) else { return }
        let what = pending.call.name.isEmpty ? pending.call.kind.rawValue : pending.call.name
        let message = "the host did not answer \(what) within \(pending.timeoutMilliseconds) ms"
        end(id, pending, .failure(Failure(.hostTimeout, message)))
    }
}

extension Client.State {
    /// A stream that comes late takes over what its session has asked and nobody was shown: its thread may be the only one.
    mutating func adoptCalls(of session: String, into operation: UInt64) {
        let orphans = hosts.pending.filter { $0.value.operation == 0 && $0.value.call.sessionID == session }
        for (id, var pending) in orphans.sorted(by: { $0.key < $1.key }) where mailbox.removeCall(id, of: 0) {
            pending.operation = operation
            pending.tag = mailbox.operations[operation]?.tag
            hosts.pending[id] = pending
            mailbox.putCall(pending.item(id))
        }
    }
}

package import TandemContract
package import TandemJSON
internal import TandemSystem

// What a host offers, and takes back.
extension Client {
    /// Offers something of the host's; gives its number.
    package func provide(_ spec: JSONText, _ function: HostFunction?) -> Result<UInt64, Failure> {
        do throws(Failure) {
            let offer = try HostOffer(spec)
            if !offer.decides, !backend.runsHostTools {
                throw Failure(.notSupported, "tools and models of the host reach the embedded engine only")
            }
            let id = OperationID.next(slot: host.slot, .provider)
            let provider = HostBook.Provider(id: id, offer: offer, hasFunction: function != nil)
            let failure: Failure? = change { state in
                if state.isClosing { return Client.closedFailure }
                if let objection = state.hosts.objection(to: offer) { return objection }
                state.hosts.add(provider)
                state.mailbox.openCommon()
                if let function { state.mailbox.setHostFunction(function, of: id) }
                return nil
            }
            if let failure { throw failure }
            if offer.decides { decisions.follow(self) }
            return .success(id)
        } catch {
            return .failure(error)
        }
    }

    /// Takes an offer back; gives a status, and the function to drop where no call of it runs.
    ///
    /// Calls that the host was shown may still be answered, others fail.
    package func withdraw(_ id: UInt64) -> (status: Int32, dropped: HostFunction?) {
        guard isOwn(id, .provider) else { return (FailureName.invalidArgument.code, nil) }
        var unseen: [(UInt64, HostBook.Pending)] = []
        let (provider, dropped): (HostBook.Provider?, HostFunction?) = change { state in
            guard let provider = state.hosts.remove(id) else { return (nil, nil) }
            for call in state.hosts.calls(of: id) {
                guard let pending = state.hosts.pending[call], state.mailbox.removeCall(call, of: pending.operation)
                else { continue }
                state.hosts.pending[call] = nil
                unseen.append((call, pending))
            }
            return (provider, state.mailbox.removeHostFunction(of: id))
        }
        guard let provider else { return (FailureName.gone.code, nil) }
        // Before the calls end: what nobody saw is left to others who decide, and not refused.
        if provider.offer.decides { decisions.follow(self) }
        let failure = Failure(.hostFailed, "the host has withdrawn what was asked for")
        for (call, pending) in unseen { end(call, pending, .failure(failure)) }
        return (0, dropped)
    }

    /// Forgets what the host has not answered; for a client that closes.
    func forgetHostCalls() {
        let (pending, lines) = state.withLock { state in
            defer {
                state.hosts.pending = [:]
                state.hosts.lines = [:]
            }
            return (state.hosts.pending, state.hosts.lines)
        }
        for timer in pending.values.compactMap(\.timer) { loop.cancelTimer(timer) }
        for line in lines.values { line.close() }
    }

    /// A function to drop, for a client that closes and runs no callback any more.
    func takeHostFunction() -> HostFunction? {
        change { state in
            state.mailbox.hostFunctions.keys.min().flatMap { state.mailbox.removeHostFunction(of: $0) }
        }
    }

    var hostOffers: HostOffers { state.withLock { $0.isClosing ? HostOffers() : $0.hosts.offers } }
}

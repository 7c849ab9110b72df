internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

extension Runs {
    /// Starts a run and answers all messages of the session when it has ended; a sink gets the run's events before.
    ///
    /// A caller that stops waiting stops the run.
    @Sendable static func promptSync(_ batch: Batch, _ request: Request, _ later: LaterCall) throws(Halt) {
        if later.ticket.isOver { return }
        let prompt = try Prompt(request)
        let session = try self.session(batch, request)
        let streams = later.ticket.sink != nil
        let id: Subscriptions.ID? = streams ? batch.core.newSubscriptionID() : nil
        let core = batch.core
        let run = try start(
            prompt,
            in: session,
            request,
            waiting: Waiting(ticket: later.ticket, subscription: id),
            batch
        ) { run in
            guard let id else { return }
            // Before the run's first events, and before its end where that comes at once.
            let filter = EventFilter(sessionID: session.id, runID: run.runID)
            batch.first {
                core.subscriptions.add(id, Subscription(filter, later.ticket, .live, lastSeq: 0))
            }
            later.call.whenResumed { [weak core] in core?.resume(id) }
        }
        let number = run.number
        let ticket = later.ticket
        let stop: @Sendable (Failure) -> Void = { [weak core, weak ticket] failure in
            guard let core, let ticket else { return }
            core.stop(number, for: ticket, subscription: id, failure)
        }
        ticket.stop.withLock { $0 = stop }
        later.call.whenCancelled { stop(.cancelledRun(true)) }
    }
}

extension Failure {
    static func cancelledRun(_ wasStopped: Bool) -> Failure {
        Failure(
            .cancelled,
            "the operation was cancelled",
            detail: JSONWriter.object { $0.member("run_cancelled", wasStopped) }
        )
    }

    static func timedOutRun(_ wasStopped: Bool) -> Failure {
        Failure(
            .timeout,
            "the run did not end in time",
            detail: JSONWriter.object { $0.member("run_cancelled", wasStopped) }
        )
    }
}

extension EngineCore {
    /// Stops a run for the caller that waits for it; that caller is told `failure`.
    func stop(_ number: Int64, for ticket: Ticket, subscription: Subscriptions.ID?, _ failure: Failure) {
        post(
            Work({ (batch) throws(StoreError) in
                guard var run = batch.run(number) else {
                    // Over already: what the stream still holds back is of no use to anybody.
                    batch.then { batch.core.cancel(subscription, ticket) }
                    return
                }
                run.stop(with: failure)
                try batch.step(run, .cancelled)
                // A consumer that is behind must not keep the end from its caller.
                batch.then { batch.core.cancel(subscription, ticket, failure) }
            }) { core, error in core.lose(number, error) }
        )
    }

    private func cancel(_ id: Subscriptions.ID?, _ ticket: Ticket, _ failure: Failure = .cancelledRun(false)) {
        if let id, subscriptions[id] != nil { unsubscribe(id, failure) } else { ticket.finish(.failure(failure)) }
    }
}

package import TandemContract
package import TandemJSON
internal import TandemSystem

// Starting operations, and ending them.
extension Client {
    /// Plans a call: what is wrong with the name or the arguments comes out here.
    package func plan(_ operation: Operation, _ arguments: JSONText) throws(Failure) -> Plan {
        let isRun = operation.recipe == "run"
        guard isRun || !operation.isOwn else {
            throw Failure(.notSupported, "\(operation.name) is not supported by this version yet")
        }
        var plan =
            isRun
            ? try Plan(run: operation, arguments, defaults: options.calls, now: clock.milliseconds)
            : try Plan(operation, arguments, defaults: options.calls, now: clock.milliseconds)
        let sent = isRun ? Operation.numbered(plan.request.operation) ?? operation : operation
        try Recipe.prepare(&plan, sent, makeKey: backend.repeatsRequests ? { [random] in random.uuid() } : nil)
        return plan
    }

    /// Begins an operation and gives its number; touches memory only.
    package func submit(
        _ operation: Operation,
        _ plan: Plan,
        callback: HostFunction? = nil,
        collects: Bool = false,
        isOwned: Bool = false
    ) -> Result<UInt64, Failure> {
        let id = OperationID.next(slot: host.slot)
        let deadline = deadline(of: operation, plan.options)
        var plan = plan
        plan.options.showsEvents = callback != nil || !isOwned || plan.options.take != nil
        let call = Call(deadline: deadline, options: plan.options)
        let failure: Failure? = change { state in
            if state.isClosing { return Client.closedFailure }
            if state.mailbox.isFull {
                return Failure(.limit, "too many operations are open or have results that nobody took")
            }
            state.mailbox.open(
                id,
                tag: plan.options.tag,
                callback: callback,
                take: plan.options.take,
                coalesces: plan.options.coalesceMilliseconds > 0
            )
            if collects { state.mailbox.setCollecting(id) }
            if collects || isOwned { _ = state.mailbox.own(id) }
            if operation.isStream, let session = plan.request.session {
                state.owners.begin(id, session: session, ownsRun: operation.ownsRun, answers: plan.run != nil)
                state.adoptCalls(of: session, into: id)
            }
            state.running[id] = Running(operation: operation, call: call)
            state.started += 1
            return nil
        }
        if let failure { return .failure(failure) }
        start(operation, plan, call, id)
        stop(id, at: deadline)
        return .success(id)
    }

    private func start(_ operation: Operation, _ plan: Plan, _ call: Call, _ id: UInt64) {
        if plan.run != nil { return RunConversation.start(self, call, id, plan) }
        let sink = OperationSink(self, call, id, operation, plan)
        if let steps = steps(operation, plan) {
            Conversation.start(self, steps, call, into: sink)
        } else {
            backend.start(plan.request, call, into: sink)
        }
    }

    /// Sets the timer of an operation that is under way: one set before that could go off and find nothing to stop.
    private func stop(_ id: UInt64, at deadline: Deadline) {
        if deadline == .never { return }
        let timer = loop.after(deadline) { [weak self] in _ = self?.stop(id, as: .timeout) }
        let isUnderWay = state.withLock { state in
            state.running[id]?.timer = timer
            return state.running[id] != nil
        }
        if !isUnderWay { loop.cancelTimer(timer) }
    }

    private func deadline(of operation: Operation, _ options: CallOptions) -> Deadline {
        if let given = options.timeoutMilliseconds { return Deadline(afterMilliseconds: given) }
        if operation.isOnlyStream { return .never }
        // The engine itself waits 615 s for a run (docs/architecture.md, limits).
        let usual = operation.ownsRun ? 615_000 : self.options.timeoutMilliseconds
        return Deadline(afterMilliseconds: usual)
    }

    /// Answers on the calling thread, without an operation that could be seen: the short way of a blocking call.
    package func answer(_ operation: Operation, _ plan: Plan) -> Result<JSONText, Failure> {
        let call = Call(deadline: deadline(of: operation, plan.options), options: plan.options)
        let id = ObjectIdentifier(call)
        let isClosed = state.withLock { state in
            if !state.isClosing { state.blocked[id] = call }
            return state.isClosing
        }
        if isClosed { return .failure(Client.closedFailure) }
        let reply =
            if let steps = steps(operation, plan) {
                Conversation.run(self, steps, call)
            } else {
                backend.answer(plan.request, call)
            }
        call.finish()
        let isClosing = state.withLock { state in
            state.blocked[id] = nil
            state.started += 1
            return state.isClosing
        }
        if isClosing {
            // Close waits until no call is left.
            host.signal.raise()
            if case .failure = reply { return .failure(Client.closedFailure) }
        }
        learn(reply, operation)
        if case .success(let reply) = reply { noteAnswer(operation, plan, reply) }
        return reply.flatMap { finish($0, operation, plan) }
    }

    func finish(_ reply: Reply, _ operation: Operation, _ plan: Plan) -> Result<JSONText, Failure> {
        plan.result(of: reply, operation, now: clock.milliseconds).flatMap { result in
            let limit = plan.options.replyLimitBytes
            guard Int64(result.bytes.count) <= limit else {
                return .failure(Failure(.limit, "the reply is longer than \(limit) bytes"))
            }
            return .success(result)
        }
    }

    /// Ends an operation with a result; false when it has ended before.
    @discardableResult
    func end(_ id: UInt64, _ result: Result<JSONText, Failure>) -> Bool {
        let (isFirst, running) = change { state in
            let running = state.running.removeValue(forKey: id)
            state.owners.end(id)
            guard let running else { return (false, nil as Running?) }
            return (state.mailbox.finish(id, Client.text(of: result, running)), running)
        }
        if let timer = running?.timer { _ = loop.cancelTimer(timer) }
        return isFirst
    }

    private static func text(of result: Result<JSONText, Failure>, _ running: Running) -> JSONText {
        switch result {
        case .success(let value): return JSONWriter.object { $0.member("ok", value) }
        case .failure(let failure):
            guard failure.name == .cancelled, let name = running.stopsAs, name != .cancelled else {
                return failure.json(operation: running.operation.name)
            }
            return Failure(name, "time ran out", detail: failure.detail).json(operation: running.operation.name)
        }
    }

    /// Stops an operation before its end: nil where there is none under way.
    func stop(_ id: UInt64, as name: FailureName) -> Bool {
        let running: Running? = change { state in
            guard var running = state.running[id] else { return nil }
            _ = state.mailbox.pause(id, false)
            running.stopsAs = running.stopsAs ?? name
            state.running[id] = running
            return running
        }
        guard let running else { return false }
        if running.operation.ownsRun {
            // Its run is cancelled too, and the engine says so; an engine that does not in time is not waited for.
            running.call.cancel()
            _ = loop.after(Deadline(afterMilliseconds: options.stopMilliseconds)) { [weak self] in
                self?.end(id, .failure(Client.stopped(running.call, as: name, wasRunCancelled: false)))
            }
        } else {
            end(id, .failure(Client.stopped(running.call, as: name, wasRunCancelled: nil)))
            running.call.cancel()
        }
        return true
    }

    private static func stopped(_ call: Call, as name: FailureName, wasRunCancelled: Bool?) -> Failure {
        let detail = JSONWriter.object { writer in
            writer.member("sent", call.isSent)
            if let wasRunCancelled { writer.member("run_cancelled", wasRunCancelled) }
        }
        return Failure(name, name == .timeout ? "time ran out" : "the operation was cancelled", detail: detail)
    }
}

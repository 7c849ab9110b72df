internal import TandemContract
internal import TandemJSON
internal import TandemProviders
internal import TandemStore
internal import TandemSystem

/// Drives the machines of runs: what they say has to be written is written now, the rest is done after the commit.
extension Batch {
    func publish(_ event: RunEvent, of run: ActiveRun) throws(StoreError) {
        try publish(event, run: run.number, run.names, startedAt: run.startedMilliseconds)
    }

    func publish(
        _ event: RunEvent,
        run number: Int64,
        _ names: RunNames,
        startedAt start: Int64 = 0
    ) throws(StoreError) {
        let properties = event.properties(
            names,
            partID: partID,
            now: { event == .started ? start : context.clock.milliseconds }
        )
        try publish(event.type, session: names.sessionID, run: (number, names.runID), properties)
    }

    /// Gives a run's machine its input and follows what it says.
    func step(_ run: ActiveRun, _ input: RunMachine.Input) throws(StoreError) {
        var run = run
        var inputs = [input]
        while !inputs.isEmpty {
            for action in run.machine.step(inputs.removeFirst()) {
                if let next = try perform(action, of: &run) { inputs.append(next) }
            }
        }
        if run.machine.phase == .over { drop(run) } else { keep(run) }
    }

    /// The same for a run that may be over; then nothing happens.
    func step(number: Int64, _ input: RunMachine.Input) throws(StoreError) {
        if let run = run(number) { try step(run, input) }
    }

    /// What is known at once is the machine's next input.
    private func perform(_ action: RunMachine.Action, of run: inout ActiveRun) throws(StoreError) -> RunMachine.Input? {
        let core = core
        let number = run.number
        switch action {
        case .publish(let event): try publish(event, of: run)
        case .storePrompt(let text): run.promptRow = try store(.user, text, id: run.names.userMessageID, run)
        case .storeModelText(let text):
            if let row = run.promptRow { try MessageStore.setModelText(text, of: row, in: store) }
        case .storeAnswer(let text): try store(.assistant, text, id: run.names.answerID, run)
        case .storeNotice(let text):
            try store(.assistant, text, id: context.random.uuid(), kind: .notice, run)
        case .readFiles(let files):
            let reader = run.reader
            first { core.readFiles(files, reader, of: number) }
        case .chooseModel: return chooseModel(for: run)
        case .call(let request, let choice): first { core.call(request, choice, for: number) }
        case .stopCall: first { core.stopCall(of: number) }
        case .readOffers: return .offersRead(context.host.offers)
        case .applyRules(let call, let asks): return .ruled(try rule(on: call, asks: asks, in: run))
        case .askPermission(let call): try askPermission(call, &run)
        case .recordCall(let call, let said): try record(call, said, run)
        case .recordOutcome(let call, let outcome): try record(outcome, of: call, run)
        case .tell(let receipt):
            try publish(
                EngineEventName.toolDispatchRecorded,
                session: nil,
                receipt.properties(run.names, run.machine.prompt)
            )
        case .makeCall(let call, let kind): return try make(call, kind, &run)
        case .dropCall(let reason): try dropCall(&run, reason)
        case .end(let end): try finish(run, end)
        }
        return nil
    }

    @discardableResult
    private func store(
        _ role: ModelMessage.Role,
        _ text: String,
        id: String,
        kind: MessageStore.Kind = .said,
        _ run: ActiveRun
    ) throws(StoreError) -> Int64 {
        let now = context.clock.milliseconds
        let row = try MessageStore.insert(
            role,
            text,
            id: id,
            kind: kind,
            session: (run.session, run.sessionID),
            at: now,
            into: store
        )
        if let session = try takeSession(of: run) { try touch(session, titled: role == .user ? text : nil, at: now) }
        return row
    }

    private func takeSession(of run: ActiveRun) throws(StoreError) -> SessionRecord? {
        defer { readSession = nil }
        if let readSession, readSession.number == run.session { return readSession }
        return try SessionStore.find(run.sessionID, in: store)
    }

    private func touch(_ session: SessionRecord, titled text: String?, at now: Int64) throws(StoreError) {
        var session = session
        session.updatedMilliseconds = now
        let title = session.title
        if let text { session.takeTitle(from: text) }
        if session.title == title {
            try SessionStore.touch(session, in: store)
        } else {
            try SessionStore.update(session, in: store)
        }
    }

    private func chooseModel(for run: ActiveRun) -> RunMachine.Input? {
        let wanted = run.machine.prompt.model ?? run.sessionModel
        let offers = context.host.offers
        switch core.models.choose(wanted, context.providers.withLock { $0 }, offers) {
        case .chosen(let choice): return .modelChosen(.success(choice), offers)
        case .refused(let failure): return .modelChosen(.failure(failure))
        case .lookAround:
            let core = core
            let number = run.number
            first { core.lookAround(for: number) }
            return nil
        }
    }

    private func finish(_ run: ActiveRun, _ end: RunEnd) throws(StoreError) {
        try RunStore.finish(run.number, end, at: context.clock.milliseconds, in: store)
        let core = core
        first {
            core.forget(run.number)
            core.context.log(end.status == .completed ? 3 : 2, "a run ended") { writer in
                writer.member("run_id", run.names.runID)
                writer.member("status", end.status.rawValue)
                writer.optional("category", end.category)
            }
        }
        guard let waiting = run.waiting else { return }
        let reply = Reply.json(try MessageStore.wire(session: run.session, in: store))
        core.answer(waiting, reply, in: self)
    }
}

extension EngineCore {
    static let runMilliseconds: Int64 = 600_000

    /// Gives a run its input in a batch of its own turn.
    func post(_ input: RunMachine.Input, to number: Int64) {
        post(
            Work({ (batch) throws(StoreError) in try batch.step(number: number, input) }) { core, error in
                core.lose(number, error)
            }
        )
    }

    func watch(_ number: Int64) {
        runEnds[number] = Deadline(afterMilliseconds: EngineCore.runMilliseconds)
        watchRuns()
    }

    /// One timer that moves on by itself: most runs neither set one nor wake the thread for it.
    private func watchRuns() {
        guard !watchesRuns, let first = runEnds.values.compactMap(\.nanoseconds).min() else { return }
        watchesRuns = true
        thread.after(Deadline(nanoseconds: first)) { [weak self] in
            self?.post(Work { batch in batch.then { batch.core.timeIsOver() } })
        }
    }

    private func timeIsOver() {
        watchesRuns = false
        for (number, end) in runEnds where end.hasPassed {
            runEnds[number] = nil
            post(.timedOut, to: number)
        }
        watchRuns()
    }

    /// Lets go of what a run that is over still had.
    func forget(_ number: Int64) {
        transfers[number] = nil
        hostCalls[number] = nil
        runEnds[number] = nil
    }

    fileprivate func readFiles(_ files: [FilePart], _ reader: FileReader, of number: Int64) {
        let read = { @Sendable [self] in
            let texts = files.map(reader.read)
            for flaw in texts.compactMap(\.flaw) {
                context.log(2, "a file of a prompt was not read whole") { $0.member("reason", flaw) }
            }
            post(.filesRead(texts), to: number)
        }
        pool.post(read) { [self] refusal in
            let reason = Failure(refusal).message
            post(.filesRead(files.map { reader.missing($0, reason) }), to: number)
        }
    }

    fileprivate func call(_ request: ModelRequest, _ choice: ModelChoice, for number: Int64) {
        guard let run = runs[number] else { return }
        transfers[number] = models.model(of: choice, run.names).start(request) { [weak self] events in
            self?.heard(events, choice, by: number)
        }
    }

    private func heard(_ events: [ModelEvent], _ choice: ModelChoice, by number: Int64) {
        if case .failed(let failure)? = events.last, failure.category != .cancelled, failure.status == nil {
            models.distrust(choice)
        }
        post(.model(events), to: number)
    }

    fileprivate func stopCall(of number: Int64) { transfers[number]?.cancel() }

    /// Looks for a model server on this machine; runs that ask meanwhile wait for the same answer.
    fileprivate func lookAround(for number: Int64) {
        models.lookAround { [weak self] in
            self?.post(
                Work({ (batch) throws(StoreError) in
                    if let run = batch.run(number) { try batch.resume(run) }
                }) { core, error in core.lose(number, error) }
            )
        }
    }

    /// Hands the messages to whoever waits for the run, its events first.
    fileprivate func answer(_ waiting: Waiting, _ reply: Reply, in batch: Batch) {
        guard let id = waiting.subscription else {
            batch.then { waiting.ticket.finish(waiting.failure.map { .failure($0) } ?? .success(reply)) }
            return
        }
        batch.first { [subscriptions] in
            subscriptions[id]?.reply = reply
            subscriptions[id]?.failure = waiting.failure
        }
    }

    /// Ends a run whose changes the store refuses: its subscribers learn it now, the store as soon as it can.
    func lose(_ number: Int64, _ error: StoreError) {
        guard var run = runs.removeValue(forKey: number) else { return }
        runOfSession[run.sessionID] = nil
        var events: [LoggedEvent] = []
        let reason = Failure(error)
        for action in run.machine.step(.stateLost(reason.message)) {
            switch action {
            case .publish(let event): events.append(logged(event, of: run))
            case .stopCall: stopCall(of: number)
            case .dropCall(let reason): withdrawCall(of: number, reason)
            case .end(let end):
                unsaved.append(
                    UnsavedEnd(run: number, events: events, end: end, milliseconds: context.clock.milliseconds)
                )
            default: break
            }
        }
        forget(number)
        if let id = run.waiting?.subscription { subscriptions[id]?.failure = reason }
        subscriptions.publish(events)
        if let waiting = run.waiting, waiting.subscription == nil { waiting.ticket.finish(.failure(reason)) }
    }

    private func logged(_ event: RunEvent, of run: ActiveRun) -> LoggedEvent {
        defer { nextSeq += 1 }
        let properties = event.properties(
            run.names,
            partID: {
                nextPart += 1
                return "part-\(nextPart)"
            },
            now: { context.clock.milliseconds }
        )
        return LoggedEvent(
            run: run.number,
            event: EngineEvent(
                type: event.type,
                properties: properties,
                envelope: EngineEvent.Envelope(
                    eventID: context.random.uuid(),
                    seq: nextSeq,
                    occurredAtMilliseconds: context.clock.milliseconds,
                    sessionID: run.sessionID,
                    runID: run.runID
                )
            )
        )
    }
}

extension Batch {
    /// Goes on with a run that waited for a look around.
    fileprivate func resume(_ run: ActiveRun) throws(StoreError) {
        guard run.machine.phase == .choosingModel, let input = chooseModel(for: run) else { return }
        try step(run, input)
    }
}

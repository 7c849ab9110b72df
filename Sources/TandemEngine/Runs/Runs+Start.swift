internal import TandemContract
internal import TandemJSON
internal import TandemProviders
internal import TandemStore
internal import TandemSystem

extension Runs {
    /// Starts a run, if the session has none: everything up to the model's call, in this batch.
    static func start(
        _ prompt: Prompt,
        in session: SessionRecord,
        _ request: Request,
        waiting: Waiting?,
        _ batch: Batch,
        before prepare: (ActiveRun) -> Void = { _ in }
    ) throws(Halt) -> ActiveRun {
        if let active = batch.run(ofSession: session.id) { throw .reply(try conflict(with: active, batch)) }
        var prompt = prompt
        prompt.sampling = prompt.sampling.filled(from: session.sampling)
        let names = self.names(session, prompt, request, batch.context)
        return try stored { () throws(StoreError) in
            let run = try activate(prompt, in: session, names, waiting: waiting, batch)
            prepare(run)
            let core = batch.core
            batch.first {
                if core.runs[run.number] != nil { core.watch(run.number) }
                core.context.log(4, "a run started") { $0.member("run_id", names.runID) }
            }
            batch.readSession = session
            try batch.step(run, .begin)
            return run
        }
    }

    private static func activate(
        _ prompt: Prompt,
        in session: SessionRecord,
        _ names: RunNames,
        waiting: Waiting?,
        _ batch: Batch
    ) throws(StoreError) -> ActiveRun {
        let window = prompt.contextMode.window(for: prompt.text)
        let conversation = try MessageStore.conversation(
            session: session.number,
            window,
            beside: prompt.text.unicodeScalars.count,
            in: batch.store
        )
        let now = batch.context.clock.milliseconds
        let number = try RunStore.insert(names, session: session.number, at: now, into: batch.store)
        return ActiveRun(
            number: number,
            session: session.number,
            names: names,
            startedMilliseconds: now,
            machine: RunMachine(
                prompt: prompt,
                history: conversation.messages,
                droppedMessages: conversation.dropped,
                system: SystemPrompt(directory: session.hasDirectory ? session.directory : nil)
            ),
            reader: FileReader(
                directory: session.hasDirectory ? session.directory : nil,
                workspace: batch.context.workspace
            ),
            sessionModel: session.model,
            directory: session.directory,
            waiting: waiting
        )
    }

    private static func names(
        _ session: SessionRecord,
        _ prompt: Prompt,
        _ request: Request,
        _ context: EngineContext
    ) -> RunNames {
        RunNames(
            sessionID: session.id,
            runID: context.random.uuid(),
            userMessageID: context.random.uuid(),
            answerID: context.random.uuid(),
            clientID: request.header("x-tandem-client-id"),
            agentID: request.header("x-tandem-agent-id") ?? prompt.agent,
            agentProfile: prompt.agent,
            correlationID: request.header("x-tandem-correlation-id")
        )
    }

    private static let retryMilliseconds: Int64 = 500

    private static func conflict(with run: ActiveRun, _ batch: Batch) throws(Halt) -> Reply {
        try stored { () throws(StoreError) in
            let active = try activity(of: run, in: batch, isRefusal: true)
            let stream = attach(run.sessionID, run.runID)
            try batch.publish(
                EngineEventName.sessionRunConflict,
                session: run.sessionID,
                run: (run.number, run.runID),
                JSONWriter.object { writer in
                    writer.member("sessionID", run.sessionID)
                    writer.member("runID", run.runID)
                    writer.member("retryAfterMs", retryMilliseconds)
                    writer.member("attachEventStream", stream)
                    writer.member("tenantContext", EngineContext.tenant)
                }
            )
            return .json(
                JSONWriter.object { writer in
                    writer.member("error", "the session has an active run already")
                    writer.member("code", "SESSION_RUN_CONFLICT")
                    writer.member("retryable", true)
                    writer.member("sessionID", run.sessionID)
                    writer.member("activeRun", active)
                    writer.member("retryAfterMs", retryMilliseconds)
                    writer.member("attachEventStream", stream)
                },
                status: 409
            )
        }
    }

    /// A blank key is none.
    static func idempotencyKey(_ request: Request) -> String? {
        let key = request.header("idempotency-key") ?? request.header("x-tandem-idempotency-key") ?? ""
        return key.allSatisfy(\.isWhitespace) ? nil : key
    }

    /// The answer for a key that was used before.
    static func replay(
        _ key: String,
        _ prompt: Prompt,
        _ sessionID: String,
        _ batch: Batch
    ) throws(Halt) -> Reply? {
        guard let known = try stored({ () throws(StoreError) in try RunStore.key(key, in: batch.store) }) else {
            return nil
        }
        guard known.sessionID == sessionID, known.fingerprint == prompt.fingerprint else {
            return .refusal(
                409,
                code: "SESSION_RUN_CONFLICT",
                message: "the idempotency key was used for another request",
                retryable: true
            )
        }
        return .json(
            JSONWriter.object { writer in
                writer.member("sessionID", sessionID)
                writer.member("runID", known.runID)
                writeContext(&writer, sessionID)
                writer.member("attachEventStream", attach(sessionID, known.runID))
                writer.member("idempotentReplay", true)
            },
            status: 202
        )
    }
}

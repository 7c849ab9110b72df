internal import TandemContract
internal import TandemJSON
internal import TandemStore

/// Prompts and the runs that they start.
enum Runs {
    static let migrations = RunStore.migrations

    static let handlers: [Handler] = [
        .write(.sessionsPromptAsync, promptAsync),
        .write(.sessionsPromptAsyncParts, promptAsync),
        .later(.sessionsPromptSync, promptSync),
        .read(.sessionsActiveRun, activeRun),
        .write(.sessionsAbort, abort),
        .write(.sessionsCancel, abort),
        .write(.sessionsCancelRun, cancelRun),
    ]

    @Sendable static func promptAsync(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        let prompt = try Prompt(request)
        let session = try self.session(batch, request)
        let key = idempotencyKey(request)
        if let key, let replay = try replay(key, prompt, session.id, batch) { return replay }
        let run = try start(prompt, in: session, request, waiting: nil, batch)
        if let key {
            try stored { () throws(StoreError) in
                try RunStore.insert(
                    key,
                    RunStore.Key(sessionID: session.id, fingerprint: prompt.fingerprint, runID: run.runID),
                    into: batch.store
                )
            }
        }
        let header = [Request.Field("x-tandem-run-id", run.runID)]
        guard request.query("return") == "run" else { return Reply(status: 204, headers: header, body: .none) }
        let body = JSONWriter.object { writer in
            writer.member("runID", run.runID)
            writeContext(&writer, session.id)
            writer.member("attachEventStream", attach(session.id, run.runID))
        }
        return Reply(status: 202, headers: header, body: .json(body))
    }

    /// Stops what the session's active run does.
    @Sendable static func abort(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        let id = request.path("session_id")
        let run = batch.run(ofSession: id)
        if run == nil, try stored({ () throws(StoreError) in try SessionStore.number(id, in: batch.store) }) == nil {
            return .empty(404)
        }
        if let run { try stored { () throws(StoreError) in try batch.step(run, .cancelled) } }
        return .json(
            JSONWriter.object { writer in
                writer.member("ok", true)
                writer.member("cancelled", run != nil)
                writer.member("closedBrowserSessions", 0)
            }
        )
    }

    @Sendable static func cancelRun(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        let run = batch.run(ofSession: request.path("session_id"))
        if let run, run.runID == request.path("run_id") { return try abort(batch, request) }
        let number = try stored { () throws(StoreError) in
            try SessionStore.number(request.path("session_id"), in: batch.store)
        }
        guard number != nil else { return .empty(404) }
        return .json(
            JSONWriter.object { writer in
                writer.member("ok", true)
                writer.member("cancelled", false)
            }
        )
    }

    @Sendable static func activeRun(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        let id = request.path("session_id")
        let store = reading.connection
        guard let session = try Sessions.number(reading, request) else { return .empty(404) }
        let active = try stored { () throws(StoreError) in
            try store.first(
                """
                SELECT r.id, r.started_ms,
                    (SELECT at_ms FROM event_groups WHERE run = r.number ORDER BY last DESC LIMIT 1), r.client_id,
                    r.agent_id, r.agent_profile
                FROM runs r WHERE r.session = ? AND r.finished_ms IS NULL
                """,
                .integer(session)
            ) { row in
                JSONWriter.object { writer in
                    writer.member("runID", row.text(0))
                    writer.member("startedAtMs", row.integer(1))
                    writer.member("lastActivityAtMs", row.optionalInteger(2) ?? row.integer(1))
                    writer.optional("clientID", row.optionalText(3))
                    writer.optional("agentID", row.optionalText(4))
                    writer.optional("agentProfile", row.optionalText(5))
                }
            }
        }
        return .json(
            JSONWriter.object { writer in
                writer.nullable("active", active)
                if active != nil { writeContext(&writer, id) }
            }
        )
    }

    /// The active run; a refusal shows names that nobody gave as null, another reply leaves them out.
    static func activity(of run: ActiveRun, in batch: Batch, isRefusal: Bool) throws(StoreError) -> JSONText {
        try batch.log()
        let last = try RunStore.lastActivity(run.number, in: batch.store)
        return JSONWriter.object { writer in
            writer.member("runID", run.runID)
            writer.member("startedAtMs", run.startedMilliseconds)
            writer.member("lastActivityAtMs", last ?? run.startedMilliseconds)
            let names = run.names
            let named = [
                ("clientID", names.clientID), ("agentID", names.agentID), ("agentProfile", names.agentProfile),
            ]
            for (key, name) in named where name != nil || isRefusal { writer.nullable(key, name) }
        }
    }

    static func attach(_ sessionID: String, _ runID: String) -> String {
        "/event?sessionID=\(sessionID)&runID=\(runID)"
    }

    static func writeContext(_ writer: inout JSONWriter, _ sessionID: String) {
        writer.member("contextRunID", "session-" + sessionID)
        writer.member("linked_context_run_id", "session-" + sessionID)
    }

    static func session(_ batch: Batch, _ request: Request) throws(Halt) -> SessionRecord {
        guard let session = try Sessions.find(batch, request) else {
            throw .reply(.refusal(404, code: "SESSION_NOT_FOUND", message: "there is no such session"))
        }
        return session
    }
}

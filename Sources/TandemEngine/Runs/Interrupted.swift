internal import TandemContract
internal import TandemJSON
internal import TandemProviders
internal import TandemStore
internal import TandemSystem

/// Closes the runs that were going on when the process ended: their text so far is kept, and their end is told.
enum Interrupted {
    private struct Found {
        let number: Int64
        let session: Int64
        let names: RunNames
    }

    static func close(_ batch: Batch) throws(StoreError) {
        let found = try batch.store.all(
            """
            SELECT number, session, session_id, id, answer_id FROM runs INDEXED BY active_runs
            WHERE finished_ms IS NULL ORDER BY number
            """
        ) { row in
            Found(
                number: row.integer(0),
                session: row.integer(1),
                names: RunNames(
                    sessionID: row.text(2),
                    runID: row.text(3),
                    userMessageID: "",
                    answerID: row.text(4)
                )
            )
        }
        for run in found { try close(run, batch) }
    }

    private static func close(_ run: Found, _ batch: Batch) throws(StoreError) {
        let failure = RunFailure.interrupted
        let end = RunEnd(status: .error, error: failure.message, category: failure.category)
        try closeTools(of: run, batch)
        let text = try self.text(of: run.number, in: batch.store)
        if !text.allSatisfy(\.isWhitespace) { try store(text, id: run.names.answerID, .said, run, batch) }
        try store(failure.notice, id: batch.context.random.uuid(), .notice, run, batch)
        for event in [RunEvent.failed(failure), .status("error"), .updated("error"), .finished(end)] {
            try batch.publish(event, run: run.number, run.names)
        }
        try RunStore.finish(run.number, end, at: batch.context.clock.milliseconds, in: batch.store)
        batch.context.log(2, "a run was cut off by the end of its process") { $0.member("run_id", run.names.runID) }
    }

    /// A tool that was begun is not begun again: whether it had an effect is not known, and that is what is told.
    private static func closeTools(of run: Found, _ batch: Batch) throws(StoreError) {
        let store = try batch.store
        let outcome = ToolOutcome.failed(
            "the process ended while this call was being made; whether it had an effect is not known"
        )
        for open in try ToolCallStore.close(run: run.number, outcome, in: store) {
            let names = RunNames(
                sessionID: run.names.sessionID,
                runID: run.names.runID,
                userMessageID: try MessageStore.id(of: open.message, in: store),
                answerID: run.names.answerID
            )
            try batch.publish(.tool(.ended(open.call, outcome)), run: run.number, names)
            try batch.publish(.tool(.effect(open.call, .unknown)), run: run.number, names)
        }
        try QuestionStore.delete(run: run.number, from: store)
        let now = batch.context.clock.milliseconds
        try PermissionStore.close(run: run.number, as: PermissionRequest.Status.restarted, at: now, in: store)
    }

    private static func store(
        _ text: String,
        id: String,
        _ kind: MessageStore.Kind,
        _ run: Found,
        _ batch: Batch
    ) throws(StoreError) {
        try MessageStore.insert(
            .assistant,
            text,
            id: id,
            kind: kind,
            session: (run.session, run.names.sessionID),
            at: batch.context.clock.milliseconds,
            into: batch.store
        )
    }

    /// The latest answer's text as far as it was published; what came before tool calls is stored with those.
    private static func text(of run: Int64, in store: Connection) throws(StoreError) -> String {
        var pieces: [String] = []
        try EventLog.backwards(store, run: run) { logged in
            let event = logged.event
            if event.type == EngineEventName.providerCallIterationStart { return false }
            if event.type == EngineEventName.toolEffectRecorded { return false }
            if event.type == EngineEventName.messagePartUpdated, event.properties["agent"] == nil,
                let delta = event.properties["delta"]?.string
            {
                pieces.append(delta)
            }
            return true
        }
        return pieces.reversed().joined()
    }
}

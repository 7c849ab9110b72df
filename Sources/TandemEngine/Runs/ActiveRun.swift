internal import TandemContract
internal import TandemStore

/// A run that goes on, with what its machine does not know.
struct ActiveRun {
    let number: Int64
    let session: Int64
    let names: RunNames
    let startedMilliseconds: Int64
    var machine: RunMachine
    let reader: FileReader
    let sessionModel: ModelReference?
    /// Where its session works, as the wire shows it.
    let directory: String
    /// The permission request or question whose answer it waits for.
    var pendingRequest: String?
    /// The row of the user's message, once it is stored.
    var promptRow: Int64?
    /// The call that waits for the end.
    private(set) var waiting: Waiting?

    var sessionID: String { names.sessionID }

    /// When it ends at the latest.
    var deadlineMilliseconds: Int64 { startedMilliseconds + EngineCore.runMilliseconds }

    var runID: String { names.runID }

    /// The caller that waits has had enough, and is told so.
    mutating func stop(with failure: Failure) { waiting?.failure = failure }
}

/// A `prompt_sync` that its run will answer.
struct Waiting: Sendable {
    let ticket: Ticket
    /// The stream that carries the events, where the caller takes them.
    let subscription: Subscriptions.ID?
    /// What the caller is told instead when it was the caller who stopped the run.
    var failure: Failure?
}

/// The end of a run that the store did not take: its events and its row, to be written later.
struct UnsavedEnd {
    let run: Int64
    let events: [LoggedEvent]
    let end: RunEnd
    let milliseconds: Int64

    func save(to store: Connection) throws(StoreError) {
        try EventLog.append(events[...], to: store)
        let outcome = ToolOutcome.failed("the state took nothing when this call ended; what it gave is lost")
        _ = try ToolCallStore.close(run: run, outcome, in: store)
        try QuestionStore.delete(run: run, from: store)
        try PermissionStore.close(run: run, as: PermissionRequest.Status.cancelled, at: milliseconds, in: store)
        try RunStore.finish(run, end, at: milliseconds, in: store)
    }
}

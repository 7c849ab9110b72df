internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

/// What one turn of the engine's thread does: everything in one transaction, and what follows only after its commit.
///
/// Changes of memory are kept beside the core until then, so a refused transaction leaves nothing behind.
final class Batch {
    let core: EngineCore
    private var changedRuns: [Int64: ActiveRun?] = [:]
    private var changedSessions: [String: Int64?] = [:]
    private var nextSeq: Int64
    private var nextPart: Int64
    private var events: [LoggedEvent] = []
    /// How many of them have been written.
    private var logged = 0
    /// The session of the run that is being started, which its prompt's message changes next.
    var readSession: SessionRecord?
    private var beforeEvents: [() -> Void] = []
    private var afterEvents: [() -> Void] = []
    private var hasBegun = false

    init(_ core: EngineCore) {
        self.core = core
        nextSeq = core.nextSeq
        nextPart = core.nextPart
    }

    var context: EngineContext { core.context }

    /// The write connection, in the batch's transaction.
    var store: Connection {
        get throws(StoreError) {
            if !hasBegun {
                try core.writer.begin()
                hasBegun = true
            }
            return core.writer
        }
    }

    /// The number that the next published event gets.
    var upcomingSeq: Int64 { nextSeq }

    /// Does something after the commit: transfers, subscriptions, what has to stand before the events go out.
    func first(_ action: @escaping () -> Void) { beforeEvents.append(action) }

    /// Does something after the commit and after its events: replies.
    func then(_ action: @escaping () -> Void) { afterEvents.append(action) }

    func run(_ number: Int64) -> ActiveRun? { changedRuns[number] ?? core.runs[number] }

    func run(ofSession id: String) -> ActiveRun? {
        guard let number = changedSessions[id] ?? core.runOfSession[id] else { return nil }
        return run(number)
    }

    func keep(_ run: ActiveRun) {
        changedRuns[run.number] = .some(run)
        changedSessions[run.sessionID] = .some(run.number)
    }

    func drop(_ run: ActiveRun) {
        changedRuns[run.number] = .some(nil)
        changedSessions[run.sessionID] = .some(nil)
    }

    /// A name for a message part that no other part of this process has.
    func partID() -> String {
        nextPart += 1
        return "part-\(nextPart)"
    }

    /// Publishes an event: it is logged with the batch, and subscribers get it after the commit.
    func publish(
        _ type: String,
        session: String?,
        run: (number: Int64, id: String)? = nil,
        _ properties: JSONText
    ) throws(StoreError) {
        let event = LoggedEvent(
            run: run?.number,
            event: EngineEvent(
                type: type,
                properties: properties,
                envelope: EngineEvent.Envelope(
                    eventID: context.random.uuid(),
                    seq: nextSeq,
                    occurredAtMilliseconds: context.clock.milliseconds,
                    sessionID: session,
                    runID: run?.id
                )
            )
        )
        nextSeq += 1
        events.append(event)
        if events.count - logged == EventGroup.countLimit { try log() }
    }

    /// Writes what was published so far, where something reads the log in the batch.
    func log() throws(StoreError) {
        if logged == events.count { return }
        try EventLog.append(events[logged...], to: store)
        logged = events.count
    }

    /// Commits; nothing of the batch has happened when it throws.
    func commit() throws(StoreError) {
        try log()
        if hasBegun { try core.writer.commit() }
    }

    func rollBack() {
        forgetActions()
        if hasBegun { core.writer.rollBack() }
    }

    /// Actions hold the batch that holds them.
    private func forgetActions() {
        beforeEvents = []
        afterEvents = []
    }

    /// Makes memory follow the store, then acts.
    func act() {
        core.nextSeq = nextSeq
        core.nextPart = nextPart
        for (number, run) in changedRuns { core.runs[number] = run }
        for (session, number) in changedSessions { core.runOfSession[session] = number }
        let actions = (first: beforeEvents, then: afterEvents)
        forgetActions()
        for action in actions.first { action() }
        if !events.isEmpty { core.subscriptions.publish(events) }
        for action in actions.then { action() }
    }
}

internal import TandemJSON
internal import TandemProviders
internal import TandemStore
internal import TandemSystem

/// One thing for the engine's thread to do.
struct Work: Sendable {
    /// Runs inside the batch's transaction, once more when that was refused.
    let perform: @Sendable (Batch) throws(StoreError) -> Void
    /// Runs instead when the store refuses the work even alone.
    let refused: @Sendable (EngineCore, StoreError) -> Void

    init(
        _ perform: @escaping @Sendable (Batch) throws(StoreError) -> Void,
        refused: @escaping @Sendable (EngineCore, StoreError) -> Void = { _, _ in }
    ) {
        self.perform = perform
        self.refused = refused
    }
}

/// The engine's thread: it owns the runs and the write connection.
///
/// It takes what is in its inbox, commits once for all of it, and only then acts. All but `post` is for it alone.
final class EngineCore: @unchecked Sendable {
    private struct Inbox {
        var works: [Work] = []
        var isClosed = false
    }

    let context: EngineContext
    let writer: Connection
    let readers: ReaderPool
    let pool = WorkPool()
    let thread: EventLoop
    let models: ModelDesk
    let subscriptions = Subscriptions()
    var runs: [Int64: ActiveRun] = [:]
    var runOfSession: [String: Int64] = [:]
    var transfers: [Int64: any ModelCall] = [:]
    var timers: [Int64: TimerID] = [:]
    var nextSeq: Int64
    var nextPart: Int64 = 0
    var issuedSubscriptions: Subscriptions.ID = 0
    /// How runs ended that the store could not be told of; it is told as soon as it takes anything again.
    var unsaved: [UnsavedEnd] = []
    private let inbox = Lock(Inbox())

    init(
        _ context: EngineContext,
        writer: Connection,
        readers: ReaderPool,
        thread: EventLoop,
        models: ModelDesk
    ) throws(StoreError) {
        self.context = context
        self.writer = writer
        self.readers = readers
        self.thread = thread
        self.models = models
        nextSeq = try EventLog.newest(writer) + 1
    }

    /// Hands work to the engine's thread; false when the engine is closed and it will never be done.
    @discardableResult
    func post(_ work: Work) -> Bool {
        let (isOpen, mustWake) = inbox.withLock { inbox in
            guard !inbox.isClosed else { return (false, false) }
            inbox.works.append(work)
            return (true, inbox.works.count == 1)
        }
        if mustWake { thread.post { self.drain() } }
        return isOpen
    }

    /// Takes no more work from now on; what was posted before is done first.
    func refuseWork() { inbox.withLock { $0.isClosed = true } }

    func closeWriter() { writer.close() }

    private func drain() {
        let works = inbox.withLock { inbox in
            defer { inbox.works = [] }
            return inbox.works
        }
        if !unsaved.isEmpty { saveUnsaved() }
        if perform(works) == nil { return }
        // Whichever of them the store refused must not take the others along.
        for work in works {
            guard let error = perform([work]) else { continue }
            context.log(1, "the state refused a change") { $0.member("reason", error.message) }
            work.refused(self, error)
        }
    }

    /// Does work on the caller's thread; only before anything was posted.
    func begin(_ work: Work) -> StoreError? { perform([work]) }

    private func perform(_ works: [Work]) -> StoreError? {
        let batch = Batch(self)
        do throws(StoreError) {
            for work in works { try work.perform(batch) }
            try batch.commit()
        } catch {
            batch.rollBack()
            return error
        }
        batch.act()
        return nil
    }

    private func saveUnsaved() {
        let ends = unsaved
        let batch = Batch(self)
        do throws(StoreError) {
            for end in ends { try end.save(to: batch.store) }
            try batch.commit()
            unsaved = []
            for end in ends { catchUp(on: end.events) }
        } catch {
            batch.rollBack()
        }
    }
}

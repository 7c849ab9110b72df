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

/// The one owner of the runs and the write connection.
///
/// Its turn takes what is in the inbox, commits once for all of it, and only then acts. The engine's thread takes the
/// turns; a thread that waits for its work takes one itself where nobody else has it, which saves two hops between
/// threads. Whoever has the turn is alone: all but `post` and `perform` is for it.
final class EngineCore: @unchecked Sendable {
    private struct Inbox {
        var works: [Work] = []
        var isClosed = false
        /// Some thread has the turn, or the engine's thread has been told to take it.
        var isTaken = false

        /// False when it will never be done; `isMine`: the turn was free and is the caller's now.
        mutating func append(_ work: Work) -> (isOpen: Bool, isMine: Bool) {
            guard !isClosed else { return (false, false) }
            works.append(work)
            defer { isTaken = true }
            return (true, !isTaken)
        }
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
    /// The call of a tool that the host makes for a run.
    var hostCalls: [Int64: UInt64] = [:]
    /// When each run has to be over at the latest.
    var runEnds: [Int64: Deadline] = [:]
    var watchesRuns = false
    var nextSeq: Int64
    var nextPart: Int64 = 0
    var issuedSubscriptions: Subscriptions.ID = 0
    /// How runs ended that the store could not be told of; it is told as soon as it takes anything again.
    var unsaved: [UnsavedEnd] = []
    /// What callers that wait are told when the turn is free again: the next that they ask then finds it free.
    var answers: [() -> Void] = []
    private let inbox = Lock(Inbox())

    init(
        _ context: EngineContext,
        writer: Connection,
        readers: ReaderPool,
        thread: EventLoop,
        models: ModelDesk,
        nextSeq: Int64
    ) {
        self.context = context
        self.writer = writer
        self.readers = readers
        self.thread = thread
        self.models = models
        self.nextSeq = nextSeq
    }

    /// Hands work to the engine's thread; false when the engine is closed and it will never be done.
    @discardableResult
    func post(_ work: Work) -> Bool {
        let (isOpen, isMine) = inbox.withLock { $0.append(work) }
        if isMine { thread.post { self.takeTurn() } }
        return isOpen
    }

    /// Does work on the calling thread, with what else is waiting; where another thread has the turn, as `post`.
    func perform(_ work: Work) -> Bool {
        let (isOpen, isMine) = inbox.withLock { $0.append(work) }
        if isMine { takeTurn() }
        return isOpen
    }

    /// Takes no more work from now on; what was posted before is done first.
    func refuseWork() { inbox.withLock { $0.isClosed = true } }

    func closeWriter() { writer.close() }

    private func takeTurn() {
        drain()
        let answers = answers
        self.answers = []
        let hasMore = inbox.withLock { inbox in
            inbox.isTaken = !inbox.works.isEmpty
            return inbox.isTaken
        }
        // Not here: a caller who waits for its own work must not be kept with that of others.
        if hasMore { thread.post { self.takeTurn() } }
        for answer in answers { answer() }
    }

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

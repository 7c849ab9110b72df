internal import CTandemSystem
internal import Glibc

/// One thread that waits for descriptors, timers and jobs, and runs their callbacks one after another.
///
/// Posting, timers and stopping work from any thread; descriptors are watched from the loop's callbacks only. No lock is
/// held while a callback runs. The thread keeps the loop alive until `stop`.
///
/// While the thread sleeps another one may lend itself for one job (`runOrPost`): who has the turn runs callbacks, and is
/// alone.
@safe package final class EventLoop: @unchecked Sendable {
    package typealias Job = @Sendable () -> Void

    struct Inbox {
        var jobs: [Job] = []
        var timers = TimerQueue()
        var farewells: [Job] = []
        /// The eventfd has been written and not yet been read.
        var signalled = false
        /// When the loop wakes by itself; nil while it is awake, for it looks at jobs and timers before it sleeps.
        var wakesAt: UInt64?
        /// The thread that runs callbacks.
        var holder: pthread_t?
        /// The loop's own thread waits for the turn: others lend themselves no more.
        var isAwaited = false
        /// Descriptors that threads of the host look at, whether one does now, and whether a timer ends that.
        var lentCount = 0
        var isAttended = false
        var isGuarded = false
        var stopping = false
        var stopped = false

        /// True for the one caller that has to write the eventfd.
        mutating func claimSignal() -> Bool {
            guard wakesAt != nil, !signalled else { return false }
            signalled = true
            return true
        }
    }

    let inbox = Monitor(Inbox())
    let epoll: Int32
    /// Of descriptors that are lent; -1 for a loop that lends none.
    let lentEpoll: Int32
    private let wakeup: Int32
    private let thread = Lock<Thread?>(nil)
    /// These two are touched by who has the turn only.
    var watches = WatchTable()
    var isOnLoan = false

    /// Starts a loop on a thread of its own; nil when the system has no descriptor or thread for it.
    ///
    /// lends: threads of the host attend to what they began (EventLoop+Lending).
    package static func start(name: String = "tandem-io", lends: Bool = false) -> EventLoop? {
        guard let loop = EventLoop(lends: lends) else { return nil }
        guard let thread = Thread.start(name, { loop.run() }) else { return nil }
        loop.thread.withLock { $0 = thread }
        return loop
    }

    private init?(lends: Bool) {
        epoll = libtandem_epoll_create()
        wakeup = libtandem_eventfd_create()
        lentEpoll = lends ? libtandem_epoll_create() : -1
        guard lentEpoll >= 0 || !lends else { return nil }
        guard epoll >= 0, wakeup >= 0, setInterest(wakeup, .readable, tag: WatchTable.wakeupTag, isNew: true)
        else { return nil }
    }

    deinit {
        libtandem_close(lentEpoll)
        libtandem_close(wakeup)
        libtandem_close(epoll)
    }

    /// Whether the calling thread runs the loop's callbacks.
    package var isCurrent: Bool { inbox.withLock { $0.holder == pthread_self() } }

    /// Runs a job on the loop's thread, after those posted before it; false when the loop has stopped and never will.
    @discardableResult
    package func post(_ job: @escaping Job) -> Bool {
        let (accepted, mustSignal) = inbox.withLock { inbox in
            guard !inbox.stopped else { return (false, false) }
            inbox.jobs.append(job)
            return (true, inbox.claimSignal())
        }
        if mustSignal { libtandem_eventfd_signal(wakeup) }
        return accepted
    }

    /// Runs a job at once, on the calling thread, where the loop sleeps; posts it where it does not.
    ///
    /// Two changes of threads less. For jobs that neither block nor wait for the loop.
    @discardableResult
    package func runOrPost(_ job: @escaping Job) -> Bool {
        runOnLoan(job) || post(job)
    }

    /// False when the loop does not sleep.
    func runOnLoan(_ job: () -> Void) -> Bool {
        guard let sleep = inbox.withLock({ $0.lend(to: pthread_self()) }) else { return false }
        isOnLoan = true
        job()
        runDueTimers()
        isOnLoan = false
        let lent = watches.lent.count
        let mustSignal = inbox.change { inbox in
            guardLent(lent, &inbox)
            return inbox.takeBack(sleep)
        }
        if mustSignal { libtandem_eventfd_signal(wakeup) }
        return true
    }

    /// Runs a job on the loop's thread at that moment; one that is due already runs at the loop's next turn.
    @discardableResult
    package func after(_ deadline: Deadline, _ job: @escaping Job) -> TimerID {
        let due = deadline.nanoseconds
        let (id, mustSignal) = inbox.withLock { inbox in
            let id = inbox.timers.insert(due: due, job)
            // A loop that sleeps until then or less long need not be woken, whatever became of the timer it sleeps for.
            guard let wakesAt = inbox.wakesAt, let due, due < wakesAt else { return (id, false) }
            return (id, inbox.claimSignal())
        }
        if mustSignal { libtandem_eventfd_signal(wakeup) }
        return id
    }

    /// Forgets a timer; false when its job has run, is running, or was cancelled before.
    @discardableResult
    package func cancelTimer(_ id: TimerID) -> Bool { inbox.withLock { $0.timers.cancel(id) } != nil }

    /// Registers a job that runs on the loop's thread as one of its last, the latest registered first.
    ///
    /// False when the loop is stopping already.
    package func beforeEnd(_ job: @escaping Job) -> Bool {
        inbox.withLock { inbox in
            guard !inbox.stopping else { return false }
            inbox.farewells.append(job)
            return true
        }
    }

    /// Ends the loop after the jobs posted so far and waits for its thread; timers are dropped.
    ///
    /// False when time ran out before, or when the loop's own thread asks: the loop then ends by itself later.
    package func stop(by deadline: Deadline) -> Bool {
        let mustSignal = inbox.withLock { inbox in
            inbox.stopping = true
            return !inbox.stopped && inbox.claimSignal()
        }
        if mustSignal { libtandem_eventfd_signal(wakeup) }
        guard let thread = thread.withLock({ $0 }) else { return true }
        return thread.isCurrent ? false : thread.join(by: deadline)
    }

    /// Calls `ready` whenever the descriptor is what `interest` names, or broken.
    ///
    /// In the loop's callbacks only. A second call for the same descriptor replaces the first; false when it cannot be
    /// watched.
    @discardableResult
    package func watch(_ fd: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void) -> Bool {
        let before = watches[fd]
        let isLent = isOnLoan && lentEpoll >= 0
        if let before, before.isLent != isLent { libtandem_epoll_remove(before.isLent ? lentEpoll : epoll, fd) }
        let tag = watches.insert(fd, interest, isLent: isLent, ready)
        return setInterest(fd, interest, tag: tag, isNew: before?.isLent != isLent, isLent: isLent)
    }

    /// Stops watching; to be called before the descriptor is closed, in the loop's callbacks only.
    package func unwatch(_ fd: Int32) {
        guard let watch = watches.remove(fd) else { return }
        libtandem_epoll_remove(watch.isLent ? lentEpoll : epoll, fd)
    }

    func setInterest(_ fd: Int32, _ interest: Readiness, tag: UInt64, isNew: Bool, isLent: Bool = false) -> Bool {
        libtandem_epoll_set(isLent ? lentEpoll : epoll, fd, interest.rawValue, tag, isNew ? 1 : 0) == 0
    }
}

extension EventLoop {
    static let batch = 128

    private func run() {
        var ready = [libtandem_ready](repeating: libtandem_ready(), count: EventLoop.batch)
        while true {
            let count = unsafe libtandem_epoll_wait(epoll, &ready, Int32(EventLoop.batch), sleepMilliseconds())
            takeTurn()
            for entry in ready.prefix(Int(max(count, 0))) { dispatch(entry) }
            if !runJobs() { break }
            runDueTimers()
        }
        runFarewells()
    }

    private func takeTurn() {
        _ = inbox.wait(until: .never) { inbox -> Void? in
            inbox.isAwaited = inbox.holder != nil
            if inbox.isAwaited { return nil }
            inbox.holder = pthread_self()
            inbox.wakesAt = nil
            return ()
        }
    }

    func dispatch(_ entry: libtandem_ready) {
        if entry.tag == WatchTable.wakeupTag {
            // Before the mark is taken back in runJobs: what comes in between finds the mark and is taken there. The
            // other order would clear the signal of a later comer and leave its mark, and nobody would signal again.
            libtandem_eventfd_clear(wakeup)
            return
        }
        // A callback of this batch may have unwatched it.
        watches.callback(for: entry.tag)?(Readiness(rawValue: entry.state))
    }

    /// Gives the turn up, and says how long nothing is to be done.
    private func sleepMilliseconds() -> Int32 {
        let lent = watches.lent.count
        let next = inbox.withLock { inbox -> UInt64? in
            inbox.holder = nil
            inbox.lentCount = lent
            guard inbox.jobs.isEmpty, !inbox.stopping else { return 0 }
            let next = inbox.timers.next
            inbox.wakesAt = next ?? .max
            return next
        }
        guard let next else { return -1 }
        return Int32(clamping: Deadline(nanoseconds: next).millisecondsLeft ?? 0)
    }

    /// Runs what is due now; timers that these jobs set wait for the next turn, so that descriptors get theirs.
    private func runDueTimers() {
        let now = Deadline.now
        while let job = inbox.withLock({ $0.timers.popDue(at: now) }) { job() }
    }

    /// False when the loop has to end.
    private func runJobs() -> Bool {
        let (jobs, stopping) = inbox.withLock { inbox in
            defer {
                inbox.jobs = []
                inbox.signalled = false
            }
            return (inbox.jobs, inbox.stopping)
        }
        for job in jobs { job() }
        return !stopping
    }

    private func runFarewells() {
        while let farewell = inbox.withLock({ $0.farewells.popLast() }) { farewell() }
        // What the farewells posted still runs; after that nothing is accepted.
        while true {
            let jobs = inbox.withLock { inbox in
                defer { inbox.jobs = [] }
                inbox.stopped = inbox.jobs.isEmpty
                return inbox.jobs
            }
            if jobs.isEmpty { break }
            for job in jobs { job() }
        }
        let timers = inbox.withLock { inbox in
            defer { inbox.timers = TimerQueue() }
            return inbox.timers
        }
        // Released here, outside the lock: the jobs may own anything.
        _ = consume timers
        watches = WatchTable()
    }
}

extension EventLoop.Inbox {
    /// Gives the turn to a thread while the loop sleeps, and says until when it does.
    fileprivate mutating func lend(to thread: pthread_t) -> UInt64? {
        guard holder == nil, !isAwaited, let sleep = wakesAt, jobs.isEmpty, !stopping else { return nil }
        holder = thread
        wakesAt = nil
        return sleep
    }

    /// True when the loop must not sleep on: something came meanwhile, for which nobody woke it.
    fileprivate mutating func takeBack(_ sleep: UInt64) -> Bool {
        holder = nil
        wakesAt = sleep
        let isWanted = !jobs.isEmpty || stopping || (timers.next.map { $0 < sleep } ?? false)
        return isWanted && claimSignal()
    }
}

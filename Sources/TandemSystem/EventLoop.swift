internal import CTandemSystem

/// One thread that waits for descriptors, timers and jobs, and runs their callbacks one after another.
///
/// Posting, timers and stopping work from any thread; descriptors are watched from the loop's own thread only. No lock is
/// held while a callback runs. The thread keeps the loop alive until `stop`.
@safe package final class EventLoop: @unchecked Sendable {
    package typealias Job = @Sendable () -> Void

    private struct Inbox {
        var jobs: [Job] = []
        var timers = TimerQueue()
        var farewells: [Job] = []
        /// The eventfd has been written and not yet been read.
        var signalled = false
        /// When the loop wakes by itself; nil while it is awake, for it looks at the timers before it sleeps.
        var wakesAt: UInt64?
        var stopping = false
        var stopped = false

        /// True for the one caller that has to write the eventfd.
        mutating func claimSignal() -> Bool {
            defer { signalled = true }
            return !signalled
        }
    }

    private let inbox = Lock(Inbox())
    private let epoll: Int32
    private let wakeup: Int32
    private let thread = Lock<Thread?>(nil)
    /// Touched on the loop's thread only.
    private var watches = WatchTable()

    /// Starts a loop on a thread of its own; nil when the system has no descriptor or thread for it.
    package static func start(name: String = "tandem-io") -> EventLoop? {
        guard let loop = EventLoop() else { return nil }
        guard let thread = Thread.start(name, { loop.run() }) else { return nil }
        loop.thread.withLock { $0 = thread }
        return loop
    }

    private init?() {
        epoll = libtandem_epoll_create()
        wakeup = libtandem_eventfd_create()
        guard epoll >= 0, wakeup >= 0, setInterest(wakeup, .readable, tag: WatchTable.wakeupTag) else { return nil }
    }

    deinit {
        libtandem_close(wakeup)
        libtandem_close(epoll)
    }

    package var isCurrent: Bool { thread.withLock { $0 }?.isCurrent ?? false }

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

    /// Calls `ready` on the loop's thread whenever the descriptor is what `interest` names, or broken.
    ///
    /// On the loop's thread only. A second call for the same descriptor replaces the first; false when it cannot be
    /// watched.
    @discardableResult
    package func watch(_ fd: Int32, for interest: Readiness, _ ready: @escaping (Readiness) -> Void) -> Bool {
        setInterest(fd, interest, tag: watches.insert(fd, ready))
    }

    /// Stops watching; to be called before the descriptor is closed, on the loop's thread only.
    package func unwatch(_ fd: Int32) {
        guard watches.remove(fd) else { return }
        libtandem_epoll_remove(epoll, fd)
    }

    private func setInterest(_ fd: Int32, _ interest: Readiness, tag: UInt64) -> Bool {
        libtandem_epoll_set(epoll, fd, interest.rawValue, tag) == 0
    }
}

extension EventLoop {
    private static let batch = 128

    private func run() {
        var ready = [libtandem_ready](repeating: libtandem_ready(), count: EventLoop.batch)
        while true {
            let count = unsafe libtandem_epoll_wait(epoll, &ready, Int32(EventLoop.batch), sleepMilliseconds())
            inbox.withLock { $0.wakesAt = nil }
            for entry in ready.prefix(Int(max(count, 0))) { dispatch(entry) }
            runDueTimers()
            if !runJobs() { break }
        }
        runFarewells()
    }

    private func dispatch(_ entry: libtandem_ready) {
        if entry.tag == WatchTable.wakeupTag {
            // Before the mark is taken back in runJobs: what comes in between finds the mark and is taken there. The
            // other order would clear the signal of a later comer and leave its mark, and nobody would signal again.
            libtandem_eventfd_clear(wakeup)
            return
        }
        // A callback of this batch may have unwatched it.
        watches.callback(for: entry.tag)?(Readiness(rawValue: entry.state))
    }

    private func sleepMilliseconds() -> Int32 {
        let next = inbox.withLock { inbox -> UInt64? in
            let next = inbox.jobs.isEmpty && !inbox.stopping ? inbox.timers.next : 0
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

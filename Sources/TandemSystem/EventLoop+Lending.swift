internal import CTandemSystem

// Descriptors whose callbacks run on the threads of a host that waits for what they bring.
//
// What a thread begins with the loop's turn lent to it is watched by an epoll of its own, so that the loop's thread sleeps
// on. The host is told by that epoll's descriptor, or waits in `attend`. What nobody has attended to after a while is the
// loop's again.
extension EventLoop {
    /// How long a descriptor stays lent, and a thread of the host waits for no more than that.
    private static let patienceMilliseconds: Int64 = 10

    package var lends: Bool { lentEpoll >= 0 }

    /// A descriptor that is readable when this one is, or when there is something to attend to; nil where nothing is lent.
    package func pollable(with fd: Int32) -> Int32? {
        guard lends, setInterest(fd, .readable, tag: WatchTable.hostTag, isNew: true, isLent: true) else { return nil }
        return lentEpoll
    }

    /// Runs callbacks of lent descriptors on the calling thread, and waits a little for one that is ready, until the
    /// deadline at most; false when it has run none.
    package func attend(until deadline: Deadline) -> Bool {
        let isMine = inbox.withLock { inbox in
            guard inbox.lentCount > 0, !inbox.isAttended, !inbox.stopping else { return false }
            inbox.isAttended = true
            return true
        }
        if !isMine { return false }
        defer { inbox.withLock { $0.isAttended = false } }
        let patience = min(deadline.millisecondsLeft ?? .max, EventLoop.patienceMilliseconds)
        var ready = [libtandem_ready](repeating: libtandem_ready(), count: EventLoop.batch)
        let count = unsafe libtandem_epoll_wait(lentEpoll, &ready, Int32(EventLoop.batch), Int32(clamping: patience))
        let entries = ready.prefix(Int(max(count, 0))).filter { $0.tag != WatchTable.hostTag }
        if entries.isEmpty {
            // Something that this thread does not take makes the epoll ready: one cannot wait with it.
            if count > 0, patience > 0 { runOrPost { self.reclaim() } }
            return false
        }
        if runOnLoan({ for entry in entries { dispatch(entry) } }) { return true }
        // The loop is busy, and takes it over; until then nobody need come again.
        inbox.withLock { $0.lentCount = 0 }
        post { self.reclaim() }
        return false
    }

    /// With the inbox's lock held: what is lent from now on is the loop's again after a while.
    func guardLent(_ count: Int, _ inbox: inout Inbox) {
        inbox.lentCount = count
        guard count > 0, !inbox.isGuarded else { return }
        inbox.isGuarded = true
        let due = Deadline(afterMilliseconds: EventLoop.patienceMilliseconds).nanoseconds
        _ = inbox.timers.insert(due: due) { [unowned self] in
            self.inbox.withLock { $0.isGuarded = false }
            reclaim()
        }
    }

    /// With the turn only.
    private func reclaim() {
        for fd in watches.lent {
            guard let watch = watches[fd] else { continue }
            libtandem_epoll_remove(lentEpoll, fd)
            let tag = watches.insert(fd, watch.interest, watch.ready)
            _ = setInterest(fd, watch.interest, tag: tag, isNew: true)
        }
    }
}

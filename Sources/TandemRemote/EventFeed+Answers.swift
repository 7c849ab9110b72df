internal import TandemContract
internal import TandemJSON

// What the engine answers.
extension EventFeed {
    mutating func took(_ page: LogPage?, of run: String, after: Int64, _ failure: Failure?, now: UInt64) {
        finishedReading(run, after)
        let round = round
        for id in Array(followers.keys) where followers[id]?.isReading(run, after: after) ?? false {
            change(id) { follower in
                if let page {
                    follower.take(page, of: run, round: round, now: now)
                } else {
                    let failure = failure ?? Failure(.protocol, "the engine's answer is no log of a run")
                    let isLasting = failure.name != .engineUnavailable && !failure.isRetryable
                    follower.readingFailed(failure, isLasting: isLasting, of: run, now: now)
                }
            }
            if followers[id]?.hasEnded(run) ?? false {
                book.end(run, now: now)
                awaited[run] = nil
            }
        }
        schedule(now)
    }

    /// `reply`: nil when the engine could not be asked.
    mutating func tookActiveRun(_ reply: JSONText?, of session: String, now: UInt64) {
        guard readingSessions.remove(session) != nil else { return }
        guard let reply, reply.kind == .object, let active = reply["active"] else {
            mutedSessions.insert(session)
            return schedule(now)
        }
        let run = active["runID"]?.string
        for (id, of) in awaited where of == session && id != run { endAwaited(id, now: now) }
        let begins = attempts > 1
        changeAll { $0.status(of: session, active: run, begins: begins, now: now) }
        schedule(now)
    }

    /// Nobody saw how it ended: whoever follows it reads that.
    private mutating func endAwaited(_ run: String, now: UInt64) {
        awaited[run] = nil
        book.presumeOver(run, now: now)
    }

    /// `lists`: nil where the engine could not be asked.
    mutating func tookRequests(_ lists: [RequestList?], round: Int64, now: UInt64) {
        guard isReadingRequests, round == self.round else { return }
        isReadingRequests = false
        for case let list? in lists { changeAll { $0.take(list, round: round) } }
        schedule(now)
    }
}

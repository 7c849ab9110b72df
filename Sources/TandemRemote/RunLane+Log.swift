internal import TandemContract

// What the run's log has, and what the engine says of the run.
extension RunLane {
    private static let noLog = Failure(.protocol, "the engine's answer is no log of the run")
    private static let rememberedRows = 512

    /// The log is about to be read: gives the number after which.
    mutating func beginReading(now: UInt64) -> Int64 {
        if phase == .live {
            lose(now: now)
            isProbing = true
        }
        let after = phase == .comparing ? comparison.place : delivered
        readingAfter = after
        isLastReading = isEngineAnother && isActive == false
        reading.at = nil
        return after
    }

    mutating func take(_ page: LogPage, now: UInt64) -> [EngineEvent] {
        if !trustsNumbers || !isEngineAnother && held.contradicts(page) {
            return readingFailed(RunLane.noLog, isLasting: true, now: now)
        }
        readingAfter = nil
        if phase == .comparing { return take(comparing: page, now: now) }
        guard phase == .healing else { return [] }
        hasNoLog = false
        return take(rows: page, now)
    }

    private mutating func take(rows page: LogPage, _ now: UInt64) -> [EngineEvent] {
        let reached = held.firstSeq
        var given: [EngineEvent] = []
        var hasGrown = false
        for row in page.events {
            guard let seq = row.seq, seq > delivered else { continue }
            if let reached, seq >= reached { return given + release(now) }
            hasGrown = true
            note(row, seq)
            if let id = row.envelope?.eventID, overtaken.remove(id) != nil { continue }
            count(row, seq)
            remember(row)
            if row.endsRun { return given + (seesGaps ? close(with: row) : compare(row, now)) }
            given.append(row)
        }
        if hasGrown {
            changedAt = now
            reading.reset()
        }
        if page.isFull {
            reading.at = now
            return given
        }
        return given + wait(now)
    }

    private mutating func note(_ row: EngineEvent, _ seq: Int64) {
        delivered = seq
        readUpTo = max(readUpTo, seq)
        isLogProven = true
        learn(row)
        guard !seesGaps else { return }
        text.note(row)
        comparison.note(row, isLive: false)
    }

    private mutating func count(_ row: EngineEvent, _ seq: Int64) {
        guard hasLost else { return }
        if cutEvents.meetDelta(seq) {
            counts.truncated += 1
            if !EventFrame.isCutDelta(row) { counts.healed += 1 }
            return
        }
        counts.healed += 1
        if cutEvents.meetFrame(row) { counts.truncated += 1 } else { counts.gaps += 1 }
    }

    private mutating func remember(_ row: EngineEvent) {
        guard let id = row.envelope?.eventID else { return }
        if fromLog.count >= RunLane.rememberedRows { fromLog.removeFirst(RunLane.rememberedRows / 2) }
        fromLog.append(id)
    }

    /// The log cannot be read; `isLasting`: and will not be.
    mutating func readingFailed(_ failure: Failure, isLasting: Bool, now: UInt64) -> [EngineEvent] {
        readingAfter = nil
        if phase == .comparing { return compareLater(now, isLasting: isLasting) }
        guard phase == .healing else { return [] }
        guard isLasting else {
            reading.later(now)
            return []
        }
        if failure.name == .protocol || !trustsNumbers { return findNoLog(failure, now) }
        guard isActive == false, !held.hasEnd else { return giveUp(now) }
        self.failure = failure
        phase = .over
        return []
    }

    /// The engine has said whether the run goes on.
    mutating func status(isActive: Bool, now: UInt64) {
        guard phase == .healing else { return }
        if isActive { isKnown = true }
        if self.isActive != isActive { changedAt = now }
        self.isActive = isActive
        // Its end was lost, maybe before something that came.
        if !isActive, !seesGaps, !handsOn, text.canBeAskedFor, held.isEmpty { rewindToText(now) }
        reading.hasten(now)
    }
}

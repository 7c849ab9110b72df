internal import TandemContract

// How long the log is waited for, and what follows then.
extension RunLane {
    /// The log has nothing new: waits for more, or for no more.
    mutating func wait(_ now: UInt64) -> [EngineEvent] {
        let isQuiet = now >= changedAt &+ (held.isEmpty ? RunLane.patience : RunLane.heldPatience)
        // What came after the last whole piece of a run that was cut off is not handed on: it would be no beginning.
        if isActive == false, isLastReading || isQuiet { return held.hasEnd ? giveUp(now) : interrupt() }
        if isActive != true, isQuiet, !isKnown {
            failNotFound()
            return []
        }
        if isQuiet || isProbing && isActive == true && held.isEmpty { return held.isEmpty ? release(now) : giveUp(now) }
        reading.later(now)
        return []
    }

    /// What is missing is lost: what came after it follows.
    mutating func giveUp(_ now: UInt64) -> [EngineEvent] {
        if hasLost { counts.gaps += held.missingPlaces }
        held.mend()
        return release(now)
    }

    /// What was held follows, up to where something else is missing.
    mutating func release(_ now: UInt64) -> [EngineEvent] {
        let waiting = held.takeFirst()
        let isWhole = held.isWhole
        var given = isWhole ? becomeLive(now) : []
        for event in waiting where phase != .over {
            if let seq = event.seq, seq <= delivered { continue }
            given += give(event, now)
        }
        guard !isWhole, phase != .over else { return given }
        // What is missing behind the last held event is read next; behind others there is a mark.
        if held.isEmpty { held.isBroken = false }
        changedAt = now
        reading.soon(now)
        return given
    }

    mutating func becomeLive(_ now: UInt64) -> [EngineEvent] {
        phase = .live
        hasLost = true
        isProbing = false
        probeAt = seesGaps || !trustsNumbers ? nil : now &+ RunLane.silence
        cutEvents = CutEvents()
        wasAway = false
        hasNoLog = false
        held.mend()
        overtaken = []
        return told()
    }
}

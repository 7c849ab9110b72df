internal import TandemContract

// Servers whose numbers mean nothing, or whose answers are no logs: what comes is handed on as it comes.
extension RunLane {
    var handsOn: Bool { !trustsNumbers || hasNoLog }

    mutating func handOn(_ event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        changedAt = now
        if !fromLog.isEmpty, let id = event.envelope?.eventID, fromLog.contains(id) { return [] }
        return give(event, now)
    }

    /// No log will bring what is missing before what is held.
    private mutating func handOnHeld(_ now: UInt64) -> [EngineEvent] {
        hasNoLog = true
        var waiting = held.takeAll()
        cutEvents.putBack(into: &waiting)
        var given: [EngineEvent] = []
        for event in waiting where phase != .over { given += handOn(event, now) }
        return given
    }

    /// A server whose answer is no log numbers its events as it likes: that some are missing cannot be said.
    mutating func findNoLog(_ failure: Failure, _ now: UInt64) -> [EngineEvent] {
        hasLost = false
        let given = handOnHeld(now)
        guard phase != .over else { return given }
        guard isActive == false else { return given + becomeLive(now) }
        // Nor does it say anything of the run, whose end may be on its way.
        if now < changedAt &+ RunLane.patience {
            reading.later(now)
            return given
        }
        self.failure = failure
        phase = .over
        return given
    }

    /// The server's numbers mean nothing: what was held because of them follows.
    mutating func mistrust(now: UInt64) -> [EngineEvent] {
        trustsNumbers = false
        isEngineAnother = false
        hasLost = false
        probeAt = nil
        guard phase == .healing else { return [] }
        let given = handOnHeld(now)
        return given + (phase != .over && isKnown && !wasAway ? becomeLive(now) : [])
    }
}

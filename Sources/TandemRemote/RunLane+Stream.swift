internal import TandemContract

// What comes over the stream.
extension RunLane {
    /// Gives what may be handed on at once; `keeps` is false when the consumer is behind and the log will do.
    mutating func take(_ event: EngineEvent, now: UInt64, keeps: Bool) -> [EngineEvent] {
        guard phase != .over, phase != .comparing else { return [] }
        if isEngineAnother { return takeOfAnother(event, now) }
        learn(event)
        if EventFrame.isCutDelta(event) {
            if handsOn { return handOn(event, now) }
            cutEvents.note(delta: event)
            lose(now: now)
            return []
        }
        if !trustsNumbers { return handOn(event, now) }
        if let seq = event.seq, seq <= readUpTo {
            // The log was quicker than the stream, which is met where it stands.
            guard phase == .healing, held.isEmpty else { return [] }
            held.isBroken = false
            return release(now)
        }
        guard phase == .healing else { return give(event, now) }
        if hasNoLog { return handOn(event, now) }
        return takeHealing(event, now: now, keeps: keeps)
    }

    private mutating func takeHealing(_ event: EngineEvent, now: UInt64, keeps: Bool) -> [EngineEvent] {
        if RequestMemory.isUrgent(event), !event.endsRun {
            if let id = event.envelope?.eventID { overtaken.insert(id) }
            if !seesGaps { comparison.note(event, isLive: true) }
            return [event]
        }
        // What has no number cannot be brought in line with the log.
        guard let seq = event.seq else { return release(now) + give(event, now) }
        hold(event, seq, keeps: keeps, now: now)
        return []
    }

    /// Another process knows nothing of the run; one that says it does has numbers that mean nothing.
    private mutating func takeOfAnother(_ event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        guard isActive == true || EventFrame.isOfRunItself(event) else { return [] }
        isEngineAnother = false
        readUpTo = .min
        held.mend()
        return (phase == .healing ? release(now) : []) + give(event, now)
    }

    private mutating func hold(_ event: EngineEvent, _ seq: Int64, keeps: Bool, now: UInt64) {
        let size = EventFrame.size(event)
        let limit = isLogProven ? RunLane.heldLimit : RunLane.unprovenLimit
        if !keeps || held.size + size > limit { drop(now: now) }
        // The end is kept whatever happens: a log that has it may never be read.
        guard keeps && size <= limit || event.endsRun else { return }
        held.append(event, seq)
    }

    private mutating func drop(now: UInt64) {
        held.drop()
        changedAt = now
    }

    mutating func give(_ event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        if !seesGaps, !handsOn {
            probeAt = now &+ RunLane.silence
            if text.isMissed(at: event) { return ask(for: event, now) }
            text.note(event)
            comparison.note(event, isLive: true)
        }
        if let seq = event.seq { delivered = max(delivered, seq) }
        guard event.endsRun else { return [event] }
        return seesGaps || handsOn ? close(with: event) : compare(event, now)
    }

    mutating func close(with end: EngineEvent) -> [EngineEvent] {
        phase = .over
        return told() + [end]
    }

    /// The counts so far as an event, where there is something to tell.
    mutating func told() -> [EngineEvent] {
        if counts.isEmpty { return [] }
        defer { counts = ResyncCounts() }
        return [counts.event(session: sessionID, run: runID)]
    }

    /// Everything from that number on has to come again, and what of it was ahead of others.
    mutating func rewind(before seq: Int64, _ events: Set<String>, now: UInt64) {
        phase = .healing
        if let end = comparison.rewind(to: seq) { held.replace(with: end) }
        overtaken.subtract(events)
        delivered = min(delivered, seq &- 1)
        text.rewind(to: delivered)
        readUpTo = min(readUpTo, delivered)
        drop(now: now)
        readingAfter = nil
        reading.soon(now)
    }
}

// What may have been lost on the way.
extension RunLane {
    /// Something of the run may be missing from here on.
    mutating func lose(now: UInt64) {
        switch phase {
        case .over, .comparing: return
        case .healing:
            held.isBroken = true
            // Of a run that is over nothing more will come, however often the connection is lost.
            if isActive != false { changedAt = now }
        case .live:
            phase = .healing
            isActive = nil
            changedAt = now
            reading.soon(now)
        }
    }

    /// A frame was cut that may be the run's.
    mutating func cut(now: UInt64) {
        if !trustsNumbers {
            // No log gives it again.
            if phase != .over { counts.truncated += 1 }
            return
        }
        cutEvents.noteFrame()
        lose(now: now)
    }

    /// Somebody was told that the run has begun, or saw it.
    mutating func noteExists() { isKnown = true }

    mutating func noteDuplicate() { if phase != .over { counts.duplicates += 1 } }

    /// The connection was lost and is there again, so the engine has to be asked whether the run goes on.
    mutating func reconnected(now: UInt64) {
        lose(now: now)
        wasAway = true
        // A run that is over stays so.
        if isActive != false { isActive = nil }
    }

    /// Other numbers: the process that published before is gone.
    mutating func engineRestarted(now: UInt64) {
        lose(now: now)
        isEngineAnother = true
        reading.hasten(now)
    }
}

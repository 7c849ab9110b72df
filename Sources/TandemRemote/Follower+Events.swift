internal import TandemContract

// What comes for it.
extension Follower {
    private static let rememberedRuns = 64
    private static let rememberedEnds = 256

    /// The events of a run that were kept for a stream that comes late.
    mutating func begin(_ runID: String, with run: RunBook.Run?, round: Int64, now: UInt64) {
        if let run, run.isWhole {
            var lane = made(RunLane(runID, sessionID: run.sessionID))
            lane.noteExists()
            for event in run.events {
                if let seq = event.seq, run.breaks.contains(seq) { lane.lose(now: now) }
                append(lane.take(event, now: now, keeps: true), round: round)
            }
            if run.isBroken { lane.lose(now: now) }
            if run.isOver { lane.status(isActive: false, now: now) }
            keep(lane)
        } else {
            let session = run?.sessionID ?? filter.sessionID
            var lane = made(RunLane(reading: runID, sessionID: session, hasLost: false, now: now))
            if run != nil { lane.noteExists() }
            if run?.isOver ?? false { lane.status(isActive: false, now: now) }
            keep(lane)
        }
    }

    /// Runs that go on while the stream begins are followed from here on.
    mutating func join(_ runs: [(id: String, run: RunBook.Run)]) {
        for (id, run) in runs where lanes[id] == nil {
            lanes[id] = made(RunLane(id, sessionID: run.sessionID, delivered: run.seq))
        }
    }

    /// An event of a run, or of none; a run that begins before the stream is seen from here on only.
    mutating func take(_ event: EngineEvent, of run: String?, round: Int64, now: UInt64) {
        if let session = event.sessionID, let end = logEnds[session], let seq = event.seq, seq <= end { return }
        guard let run else { return append([event], round: round) }
        if ended.contains(run) { return }
        var lane = lanes.removeValue(forKey: run) ?? lane(of: run, beginningWith: event, now: now)
        append(lane.take(event, now: now, keeps: hasRoom), round: round)
        keep(lane)
    }

    /// A run seen for the first time: after a gap its beginning may have been in that.
    private func lane(of run: String, beginningWith event: EngineEvent, now: UInt64) -> RunLane {
        if hasMissed, trustsNumbers, event.type != EngineEventName.sessionRunStarted, event.seq != nil {
            return made(RunLane(reading: run, sessionID: event.sessionID, hasLost: true, now: now))
        }
        return made(RunLane(run, sessionID: event.sessionID))
    }

    func made(_ lane: RunLane) -> RunLane {
        var lane = lane
        lane.seesGaps = seesGaps
        if !trustsNumbers { _ = lane.mistrust(now: 0) }
        return lane
    }

    mutating func change(_ body: (inout RunLane) -> Void) {
        for (id, var lane) in lanes {
            body(&lane)
            lanes[id] = lane
        }
    }

    mutating func keep(_ lane: RunLane) {
        guard lane.phase == .over else {
            lanes[lane.runID] = lane
            return
        }
        lanes[lane.runID] = nil
        if let session = lane.sessionID, let end = lane.endInLog {
            if logEnds.count >= Follower.rememberedEnds { logEnds = [:] }
            logEnds[session] = end
        }
        ended = ended.suffix(Follower.rememberedRuns - 1) + [lane.runID]
        if let failure = lane.failure, filter.runID != nil {
            end(.failure(failure))
        } else if filter.runID == lane.runID {
            tellOutside()
            end(.success(nil))
        }
    }
}

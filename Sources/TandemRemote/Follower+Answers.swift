internal import TandemContract

// What the engine's logs and lists say, and what is held back for them.
extension Follower {
    /// Ends that are held back while logs are compared come now.
    mutating func stopComparing() {
        for (id, var lane) in lanes where lane.phase == .comparing {
            lanes[id] = nil
            append(lane.stopComparing())
            keep(lane)
        }
    }

    func isReading(_ run: String, after: Int64) -> Bool { lanes[run]?.readingAfter == after }

    func hasEnded(_ run: String) -> Bool { ended.contains(run) }

    mutating func take(_ page: LogPage, of run: String, round: Int64, now: UInt64) {
        guard var lane = lanes.removeValue(forKey: run) else { return }
        let events = lane.take(page, now: now)
        append(events, round: round)
        if filter.isEverything { missing.heal(events.lazy.compactMap(\.seq)) }
        keep(lane)
        settleMissing()
    }

    mutating func readingFailed(_ failure: Failure, isLasting: Bool, of run: String, now: UInt64) {
        guard var lane = lanes.removeValue(forKey: run) else { return }
        append(lane.readingFailed(failure, isLasting: isLasting, now: now))
        keep(lane)
        settleMissing()
    }

    /// The engine has said which run is active in a session; `begins`: one not known here began while nobody looked.
    mutating func status(of session: String, active: String?, begins: Bool, now: UInt64) {
        let own = filter.sessionID
        change { lane in
            guard lane.needsStatus, (lane.sessionID ?? own) == session else { return }
            lane.status(isActive: lane.runID == active, now: now)
        }
        guard begins, trustsNumbers, filter.runID == nil, filter.sessionID == session, let active, lanes[active] == nil,
            !ended.contains(active)
        else { return }
        var lane = made(RunLane(reading: active, sessionID: session, hasLost: true, now: now))
        lane.status(isActive: true, now: now)
        keep(lane)
    }

    /// What the engine lists of permissions or questions; `round`: those asked later are not in it.
    mutating func take(_ list: RequestList, round: Int64) {
        for (id, entry) in list.entries.sorted(by: { $0.key < $1.key }) {
            let isUnknown = requests.entries[id].map { !$0.isAsked && $0.settled.isEmpty } ?? true
            if isUnknown, entry.isPending, follows(entry.sessionID) { append([entry.asked], round: round) }
        }
        for (id, known) in requests.entries.sorted(by: { $0.key < $1.key }) {
            guard known.isPending, known.isQuestion == list.isOfQuestions, known.round < round else { continue }
            if let entry = list.entries[id] {
                if !entry.isPending { append([entry.settled], round: round) }
            } else {
                let event = RequestList.settled(id, isQuestion: known.isQuestion, sessionID: known.sessionID)
                append([event], round: round)
            }
        }
    }
}

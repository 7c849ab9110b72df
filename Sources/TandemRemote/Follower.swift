internal import TandemContract

/// One stream on its way to one consumer: its runs, each in a lane, and what waits for the consumer: a value.
struct Follower {
    let filter: StreamFilter
    /// What waits for the consumer, oldest first.
    private(set) var pending: [EngineEvent] = []
    private(set) var pendingSize = 0
    /// Set when nothing follows what is pending.
    private(set) var outcome: Result<Reply?, Failure>?
    private(set) var requests = RequestMemory()
    private(set) var isOpen = false
    var lanes: [String: RunLane] = [:]
    /// Runs whose end was given, newest last.
    var ended: [String] = []
    /// Ends that a log gave before the stream, by session: what the stream brings up to there has been given.
    var logEnds: [String: Int64] = [:]
    /// False after the consumer took less than it was offered, until it has room.
    private(set) var hasRoom = true
    /// What was lost that no log holds.
    var outside = ResyncCounts()
    var missing = MissingNumbers()
    /// Something was lost since it began, so that the beginning of a run may have been.
    var hasMissed = false

    /// What may wait for a consumer; past it, it goes on from the logs.
    static let pendingLimit = 1024 * 1024
    static let pendingEvents = 4_096

    let seesGaps: Bool
    var trustsNumbers: Bool

    init(_ filter: StreamFilter, seesGaps: Bool = true, trustsNumbers: Bool = true) {
        self.filter = filter
        self.seesGaps = seesGaps
        self.trustsNumbers = trustsNumbers
    }

    /// Whether its consumer would take more.
    var isReady: Bool { hasRoom && !pending.isEmpty }

    /// Whether its consumer has refused events and not asked for more since.
    var isBehind: Bool { !hasRoom }

    var openRuns: [RunLane] { lanes.values.filter { $0.phase != .over } }

    /// A run was handed over to its end, and none goes on.
    var hasSeenEnd: Bool { !ended.isEmpty && lanes.isEmpty && pending.isEmpty }

    /// The logs to read now, with the numbers after which.
    mutating func readings(now: UInt64) -> [(run: String, after: Int64)] {
        // Rows wait in the engine as long as the consumer has enough to do.
        guard hasRoom, pending.isEmpty else { return [] }
        var found: [(run: String, after: Int64)] = []
        for (id, var lane) in lanes {
            guard let due = lane.nextReading, due <= now else { continue }
            found.append((id, lane.beginReading(now: now)))
            lanes[id] = lane
        }
        return found.sorted { $0.run < $1.run }
    }

    var nextReading: UInt64? {
        guard hasRoom, pending.isEmpty else { return nil }
        return lanes.values.lazy.compactMap(\.nextReading).min()
    }

    /// Sessions of which the engine has to say whether their runs go on.
    var unclearSessions: Set<String> {
        Set(lanes.values.lazy.filter(\.needsStatus).compactMap { $0.sessionID ?? filter.sessionID })
    }

    func follows(_ session: String?) -> Bool {
        if filter.runID != nil {
            return lanes.values.contains { $0.phase != .over && ($0.sessionID ?? filter.sessionID) == session }
        }
        return filter.sessionID == nil || filter.sessionID == session
    }
}

// What a consumer gets.
extension Follower {
    mutating func open(with events: [EngineEvent]) {
        isOpen = true
        append(events)
    }

    /// The consumer took so many of what is pending.
    mutating func took(_ count: Int) {
        hasRoom = count >= pending.count
        if hasRoom {
            pending = []
            pendingSize = 0
        } else {
            for event in pending.prefix(count) { pendingSize -= EventFrame.size(event) }
            pending.removeFirst(max(count, 0))
        }
    }

    mutating func resume() { hasRoom = true }

    mutating func say(_ event: EngineEvent) { append([event]) }

    mutating func end(_ outcome: Result<Reply?, Failure>) { self.outcome = self.outcome ?? outcome }

    /// What waits is too much: it is dropped and comes again from the logs, as far as it is of runs.
    mutating func fallBehind(now: UInt64) {
        guard trustsNumbers else { return giveUp() }
        var first: [String: (seq: Int64, session: String?)] = [:]
        let ids = Set(pending.compactMap { $0.envelope?.eventID })
        for event in pending {
            requests.forget(event)
            if let run = event.runID, let seq = event.seq {
                first[run] = first[run].map { (min($0.seq, seq), $0.session) } ?? (seq, event.sessionID)
            } else if event.envelope != nil || !EventFrame.isOfStream(event) && !RequestMemory.isUrgent(event) {
                outside.gaps += 1
            }
        }
        pending = []
        pendingSize = 0
        if case .failure? = outcome { return }
        for (run, place) in first {
            var lane =
                lanes[run]
                ?? made(
                    RunLane(reading: run, sessionID: place.session, after: place.seq &- 1, hasLost: true, now: now)
                )
            lane.rewind(before: place.seq, ids, now: now)
            lanes[run] = lane
            ended.removeAll { $0 == run }
        }
        if !first.isEmpty { outcome = nil }
        tellOutside()
    }

    /// What no log gives again is kept as long as there is room for it at all.
    private mutating func giveUp() {
        pending = []
        pendingSize = 0
        end(.failure(Failure(.limit, "the stream is too far behind, and this engine has no logs to go on from")))
    }

    var isTooFarBehind: Bool {
        trustsNumbers && pending.count > 1
            && (pendingSize > Follower.pendingLimit || pending.count > Follower.pendingEvents)
    }

    mutating func append(_ events: [EngineEvent], round: Int64 = 0) {
        if outcome != nil { return }
        for event in events where requests.admits(event, round: round) {
            pending.append(event)
            pendingSize += EventFrame.size(event)
        }
    }

    mutating func tellOutside() {
        if outside.isEmpty { return }
        append([outside.event(session: filter.sessionID, run: filter.runID)])
        outside = ResyncCounts()
    }
}

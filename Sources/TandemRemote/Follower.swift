internal import TandemContract
internal import TandemJSON
internal import TandemSystem

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
    private var lanes: [String: RunLane] = [:]
    /// Runs whose end was given, newest last.
    private var ended: [String] = []
    /// Ends that a log gave before the stream, by session: what the stream brings up to there has been given.
    private var logEnds: [String: Int64] = [:]
    /// False after the consumer took less than it was offered, until it has room.
    private var hasRoom = true
    /// What was lost that no log holds.
    private var outside = ResyncCounts()
    /// Numbers missing on an unfiltered stream, and how many of them the logs have not given back.
    private var missing: [ClosedRange<Int64>] = []
    private var missingCount: Int64 = 0
    private var recentlyHealed: [Int64] = []
    /// Something was lost since it began, so that the beginning of a run may have been.
    private var hasMissed = false

    /// What may wait for a consumer; past it, it goes on from the logs.
    static let pendingLimit = 1024 * 1024
    static let pendingEvents = 4_096
    private static let rememberedRuns = 64
    private static let rememberedGaps = 256

    private let seesGaps: Bool
    private var trustsNumbers: Bool

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

    private mutating func append(_ events: [EngineEvent], round: Int64 = 0) {
        if outcome != nil { return }
        for event in events where requests.admits(event, round: round) {
            pending.append(event)
            pendingSize += EventFrame.size(event)
        }
    }

    private mutating func tellOutside() {
        if outside.isEmpty { return }
        append([outside.event(session: filter.sessionID, run: filter.runID)])
        outside = ResyncCounts()
    }
}

// What comes for it.
extension Follower {
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

    mutating func noteDuplicate(of run: String?) {
        if let run, lanes[run] != nil { lanes[run]?.noteDuplicate() } else { outside.duplicates += 1 }
    }

    /// A run seen for the first time: after a gap its beginning may have been in that.
    private func lane(of run: String, beginningWith event: EngineEvent, now: UInt64) -> RunLane {
        if hasMissed, trustsNumbers, event.type != EngineEventName.sessionRunStarted, event.seq != nil {
            return made(RunLane(reading: run, sessionID: event.sessionID, hasLost: true, now: now))
        }
        return made(RunLane(run, sessionID: event.sessionID))
    }

    private func made(_ lane: RunLane) -> RunLane {
        var lane = lane
        lane.seesGaps = seesGaps
        if !trustsNumbers { _ = lane.mistrust(now: 0) }
        return lane
    }

    /// The numbers mean nothing: what was held because of them follows, and nothing is held any more.
    mutating func mistrust(now: UInt64) {
        trustsNumbers = false
        logEnds = [:]
        missing = []
        missingCount = 0
        for id in lanes.keys.sorted() {
            guard var lane = lanes.removeValue(forKey: id) else { continue }
            append(lane.mistrust(now: now))
            keep(lane)
        }
    }

    /// These numbers did not come; so many of them not even cut.
    mutating func lose(_ numbers: ClosedRange<Int64>, lost: Int64, now: UInt64) {
        if filter.isEverything {
            let count = numbers.upperBound.saturatingSubtract(numbers.lowerBound).saturatingAdd(1)
            let healed = Int64(recentlyHealed.count { numbers.contains($0) })
            missingCount = missingCount.saturatingAdd(count.saturatingSubtract(healed))
            if missing.count < Follower.rememberedGaps { missing.append(numbers) }
        }
        if lost > 0 { lose(now: now) }
        settleMissing()
    }

    /// Something may be missing, nobody knows how much.
    mutating func lose(now: UInt64) {
        hasMissed = true
        change { $0.lose(now: now) }
    }

    func has(_ frame: CutFrame) -> [Bool?] { lanes.values.map { $0.has(frame) } }

    /// A frame was cut; `isCertain`: it names a run that somebody follows.
    mutating func cut(_ frame: CutFrame, isCertain: Bool, now: UInt64) {
        hasMissed = true
        change { lane in
            if lane.has(frame) ?? !isCertain { lane.cut(now: now) }
        }
    }

    mutating func reconnected(now: UInt64) {
        hasMissed = true
        change { $0.reconnected(now: now) }
    }

    mutating func engineRestarted(now: UInt64) {
        logEnds = [:]
        change { $0.engineRestarted(now: now) }
    }

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
        noteHealed(events)
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

    private mutating func change(_ body: (inout RunLane) -> Void) {
        for (id, var lane) in lanes {
            body(&lane)
            lanes[id] = lane
        }
    }

    private mutating func keep(_ lane: RunLane) {
        guard lane.phase == .over else {
            lanes[lane.runID] = lane
            return
        }
        lanes[lane.runID] = nil
        if let session = lane.sessionID, let end = lane.endInLog {
            if logEnds.count >= Follower.rememberedGaps { logEnds = [:] }
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

    /// What the logs gave back of what was missing is not lost.
    private mutating func noteHealed(_ events: [EngineEvent]) {
        guard filter.isEverything else { return }
        for case let seq? in events.lazy.map(\.seq) {
            if missing.contains(where: { $0.contains(seq) }) { missingCount -= 1 }
            recentlyHealed.append(seq)
        }
        recentlyHealed = recentlyHealed.suffix(Follower.rememberedGaps)
    }

    /// When no log is being read any more, what is still missing is lost.
    private mutating func settleMissing() {
        guard !missing.isEmpty, !lanes.values.contains(where: { $0.phase == .healing }) else { return }
        outside.gaps = outside.gaps.saturatingAdd(max(missingCount, 0))
        missingCount = 0
        missing = []
        tellOutside()
    }
}

internal import TandemContract
internal import TandemJSON

/// The runs of a subscription with their events, for streams that are asked for after their run began: a value.
struct RunBook {
    struct Run {
        let sessionID: String?
        fileprivate(set) var events: [EngineEvent] = []
        fileprivate(set) var bytes = 0
        /// False when its events are not kept: its log has them all.
        fileprivate(set) var isWhole: Bool
        /// The numbers of kept events before which something may be missing.
        fileprivate(set) var breaks: Set<Int64> = []
        /// Something may be missing behind the newest.
        fileprivate(set) var isBroken = false
        /// In nanoseconds of the monotonic clock.
        fileprivate(set) var endedAt: UInt64?
        /// When another process began to publish.
        fileprivate var leftAt: UInt64?
        /// When the next run of its session began, or its newest event after that came: its end may be lost.
        fileprivate var replacedAt: UInt64?
        /// When the engine named another run, or none, as its session's.
        fileprivate var presumedAt: UInt64?
        fileprivate var hasBegun = false
        /// The number of its newest event.
        fileprivate(set) var seq: Int64 = 0

        /// Whether it ended, or the engine says so.
        var isOver: Bool { endedAt != nil || presumedAt != nil }
    }

    private var runs: [String: Run] = [:]
    /// The run that is active in a session.
    private var active: [String: String] = [:]
    private(set) var bytes = 0
    private var expiry: UInt64 = .max

    static let runBytes = 8 * 1024 * 1024
    static let totalBytes = 64 * 1024 * 1024
    static let keptNanoseconds: UInt64 = 60_000_000_000

    subscript(_ id: String) -> Run? { runs[id] }

    var isEmpty: Bool { runs.isEmpty }

    /// The runs that go on in a session; nil: in any.
    func activeRuns(of session: String?) -> [(id: String, run: Run)] {
        let ids = session.map { active[$0].map { [$0] } ?? [] } ?? active.values.sorted()
        return ids.compactMap { id in runs[id].map { (id, $0) } }
    }

    func activeRun(of session: String) -> String? { active[session] }

    /// Enters an event and tells the run that it belongs to; nil too for what comes after a run's end.
    mutating func note(_ event: EngineEvent, now: UInt64) -> String? {
        let session = event.sessionID
        guard let id = event.runID ?? session.flatMap({ active[$0] }) else { return nil }
        var run = runs[id] ?? Run(sessionID: session, isWhole: event.type == EngineEventName.sessionRunStarted)
        if run.endedAt != nil { return nil }
        if !run.hasBegun, let session = run.sessionID, !event.endsRun { replace(with: id, session, now: now) }
        if run.replacedAt != nil || isBesideAnother(id, run) {
            run.replacedAt = now
            expire(after: now)
        }
        if EventFrame.isOfRunItself(event) { run.leftAt = nil }
        if run.presumedAt != nil, !event.endsRun { goOn(id, run.sessionID) }
        run.presumedAt = nil
        run.hasBegun = true
        run.seq = max(run.seq, event.seq ?? 0)
        keep(event.belonging(to: id), in: &run)
        runs[id] = run
        if event.endsRun { end(id, now: now) }
        return id
    }

    /// A session has one run at a time: of the one before, whose end did not come, nothing more is expected.
    private mutating func replace(with id: String, _ session: String, now: UInt64) {
        if let before = active[session], before != id {
            runs[before]?.replacedAt = now
            expire(after: now)
        }
        active[session] = id
    }

    private func isBesideAnother(_ id: String, _ run: Run) -> Bool {
        run.sessionID.flatMap { active[$0] }.map { $0 != id } ?? false
    }

    /// A run will begin, and all of it will be seen.
    mutating func expect(_ id: String, session: String) {
        if runs[id] == nil { runs[id] = Run(sessionID: session, isWhole: true) }
    }

    mutating func end(_ id: String, now: UInt64) {
        guard var run = runs[id], run.endedAt == nil else { return }
        run.endedAt = now
        expire(after: now)
        if let session = run.sessionID, active[session] == id { active[session] = nil }
        runs[id] = run
    }

    /// The engine names another run, or none, as its session's: it is over, unless more of it comes.
    mutating func presumeOver(_ id: String, now: UInt64) {
        guard let run = runs[id], run.endedAt == nil else { return }
        runs[id]?.presumedAt = now
        expire(after: now)
        if let session = run.sessionID, active[session] == id { active[session] = nil }
    }

    /// The session of a run that was presumed to be over.
    func presumedSession(_ id: String) -> String? { runs[id].flatMap { $0.presumedAt == nil ? nil : $0.sessionID } }

    /// Whether a run is of a process that is gone.
    func hasLeft(_ id: String) -> Bool { runs[id]?.leftAt != nil }

    private mutating func goOn(_ id: String, _ session: String?) {
        if let session, active[session] == nil { active[session] = id }
    }

    private mutating func keep(_ event: EngineEvent, in run: inout Run) {
        if !run.isWhole { return }
        let size = EventFrame.size(event)
        guard run.bytes + size <= RunBook.runBytes, bytes + size <= RunBook.totalBytes else { return forget(&run) }
        if run.isBroken { if let seq = event.seq { run.breaks.insert(seq) } }
        run.isBroken = false
        run.events.append(event)
        run.bytes += size
        bytes += size
    }

    private mutating func forget(_ run: inout Run) {
        bytes -= run.bytes
        run.events = []
        run.bytes = 0
        run.breaks = []
        run.isWhole = false
    }

    /// Events may have been lost: of one session's run, or of any.
    mutating func lose(session: String? = nil) {
        let concerned = session.map { active[$0].map { [$0] } ?? [] } ?? Array(runs.keys)
        for id in concerned {
            guard let run = runs[id], run.endedAt == nil, run.isWhole else { continue }
            runs[id]?.isBroken = true
        }
    }

    /// Another process publishes: of its sessions' events none is of these runs, unless it says so.
    mutating func leave(now: UInt64) {
        for (id, run) in runs where run.hasBegun && run.endedAt == nil { runs[id]?.leftAt = now }
        if !runs.isEmpty { expire(after: now) }
        active = [:]
    }

    /// The numbers mean nothing: what they said is missing is not.
    mutating func mistrust() {
        for id in Array(runs.keys) {
            runs[id]?.breaks = []
            runs[id]?.isBroken = false
        }
    }

    private mutating func expire(after now: UInt64) { expiry = min(expiry, now &+ RunBook.keptNanoseconds) }

    /// Forgets runs that ended a minute ago.
    mutating func expire(now: UInt64) {
        guard now >= expiry else { return }
        expiry = .max
        for (id, run) in runs {
            guard let ended = run.endedAt ?? run.leftAt ?? run.presumedAt ?? run.replacedAt else { continue }
            if now < ended &+ RunBook.keptNanoseconds {
                expiry = min(expiry, ended &+ RunBook.keptNanoseconds)
            } else {
                bytes -= run.bytes
                runs[id] = nil
            }
        }
    }
}

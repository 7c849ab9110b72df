internal import TandemContract
internal import TandemJSON

/// The runs of a subscription with their events, for streams that are asked for after their run began: a value.
struct RunBook {
    struct Run {
        let sessionID: String?
        fileprivate(set) var events: [EngineEvent] = []
        fileprivate(set) var bytes = 0
        /// Too many events to keep.
        fileprivate(set) var isCut = false
        /// In nanoseconds of the monotonic clock.
        fileprivate(set) var endedAt: UInt64?
    }

    private var runs: [String: Run] = [:]
    /// The run that is active in a session.
    private var active: [String: String] = [:]
    private var bytes = 0

    static let runBytes = 8 * 1024 * 1024
    static let totalBytes = 64 * 1024 * 1024
    static let keptNanoseconds: UInt64 = 60_000_000_000

    subscript(_ id: String) -> Run? { runs[id] }

    /// Enters an event and tells the run that it belongs to; nil too for what comes after a run's end.
    mutating func note(_ event: EngineEvent, now: UInt64) -> String? {
        let session = event.sessionID
        guard let id = event.runID ?? session.flatMap({ active[$0] }) else { return nil }
        var run = runs[id] ?? Run(sessionID: session)
        if run.endedAt != nil { return nil }
        if runs[id] == nil, let session = run.sessionID, !event.endsRun { active[session] = id }
        keep(event.belonging(to: id), in: &run)
        if event.endsRun {
            run.endedAt = now
            if let session = run.sessionID, active[session] == id { active[session] = nil }
        }
        runs[id] = run
        return id
    }

    private mutating func keep(_ event: EngineEvent, in run: inout Run) {
        if run.isCut { return }
        let size = event.frame.bytes.count
        guard run.bytes + size <= RunBook.runBytes, bytes + size <= RunBook.totalBytes else {
            bytes -= run.bytes
            run.events = []
            run.bytes = 0
            run.isCut = true
            return
        }
        run.events.append(event)
        run.bytes += size
        bytes += size
    }

    /// Forgets runs that ended a minute ago.
    mutating func expire(now: UInt64) {
        for (id, run) in runs {
            guard let ended = run.endedAt, now > ended, now - ended >= RunBook.keptNanoseconds else { continue }
            bytes -= run.bytes
            runs[id] = nil
        }
    }

    var isEmpty: Bool { runs.isEmpty }
}

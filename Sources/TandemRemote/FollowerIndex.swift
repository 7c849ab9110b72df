internal import TandemContract
internal import TandemJSON

/// Which followers an event may be for, found without asking each: a value.
struct FollowerIndex {
    private var byRun: [String: Set<Int>] = [:]
    private var bySession: [String: Set<Int>] = [:]
    private var ofEverything: Set<Int> = []

    /// Sessions that are followed whatever their runs.
    var sessions: [String] { bySession.keys.sorted() }

    mutating func insert(_ id: Int, _ filter: StreamFilter) {
        if let run = filter.runID {
            byRun[run, default: []].insert(id)
        } else if let session = filter.sessionID {
            bySession[session, default: []].insert(id)
        } else {
            ofEverything.insert(id)
        }
    }

    mutating func remove(_ id: Int, _ filter: StreamFilter) {
        if let run = filter.runID {
            byRun[run]?.remove(id)
            if byRun[run]?.isEmpty ?? false { byRun[run] = nil }
        } else if let session = filter.sessionID {
            bySession[session]?.remove(id)
            if bySession[session]?.isEmpty ?? false { bySession[session] = nil }
        } else {
            ofEverything.remove(id)
        }
    }

    /// `run`: the run that the event belongs to, whether it names it or not.
    func followers(of event: EngineEvent, in run: String?) -> Set<Int> {
        var found = ofEverything
        if let run, let ids = byRun[run] { found.formUnion(ids) }
        if !bySession.isEmpty {
            // As the engine filters: some events have their session under id.
            for case let session? in [event.sessionID, event.properties["id"]?.string] {
                if let ids = bySession[session] { found.formUnion(ids) }
            }
        }
        return found
    }
}

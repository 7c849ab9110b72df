internal import TandemContract

/// The events of a run that wait for its log to reach them, with the places at which more is missing: a value.
struct HeldEvents {
    private(set) var events: [EngineEvent] = []
    /// In bytes.
    private(set) var size = 0
    /// The numbers of events before which something else is missing.
    private var breaks: Set<Int64> = []
    /// Something is missing before the next event that comes.
    var isBroken = false

    var isEmpty: Bool { events.isEmpty }

    /// Nothing waits, and nothing is missing.
    var isWhole: Bool { events.isEmpty && !isBroken }

    /// The number of the first event that has one.
    var firstSeq: Int64? { events.lazy.compactMap(\.seq).first }

    /// Whether the run's end has come, behind what is missing.
    var hasEnd: Bool { events.contains(where: \.endsRun) }

    /// At how many places something is missing, the one before the first event among them.
    var missingPlaces: Int64 { 1 + Int64(breaks.count) }

    mutating func append(_ event: EngineEvent, _ seq: Int64) {
        if isBroken { breaks.insert(seq) }
        isBroken = false
        events.append(event)
        size += EventFrame.size(event)
    }

    /// Only this one waits; what is missing stays so.
    mutating func replace(with event: EngineEvent) {
        events = [event]
        measure()
    }

    /// The log has to give what waits, too; all but a run's end, for a log that has it may never be read.
    mutating func drop() {
        events = events.filter(\.endsRun)
        measure()
        breaks = []
        isBroken = true
    }

    /// Nothing is missing any more, or nothing will come of it.
    mutating func mend() {
        breaks = []
        isBroken = false
    }

    mutating func takeAll() -> [EngineEvent] {
        defer { self = HeldEvents() }
        return events
    }

    /// The events up to where something else is missing.
    mutating func takeFirst() -> [EngineEvent] {
        let end = events.dropFirst().firstIndex { breaks.contains($0.seq ?? 0) } ?? events.endIndex
        let first = events[..<end]
        events = Array(events[end...])
        measure()
        if let seq = events.first?.seq { breaks.remove(seq) }
        return Array(first)
    }

    /// Whether a page has another event where one of these came: it is the log of another run.
    func contradicts(_ page: LogPage) -> Bool {
        if isEmpty { return false }
        let ids = Dictionary(
            events.lazy.compactMap { $0.envelope.map { ($0.seq, $0.eventID) } },
            uniquingKeysWith: { first, _ in first }
        )
        return page.events.contains { row in
            guard let envelope = row.envelope, let id = ids[envelope.seq] else { return false }
            return id != envelope.eventID
        }
    }

    private mutating func measure() { size = events.reduce(0) { $0 + EventFrame.size($1) } }
}

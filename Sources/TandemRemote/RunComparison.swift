internal import TandemContract
internal import TandemJSON

/// What a filtered stream has given of one run, compared with the run's log when the run is over: a value.
///
/// There numbers have gaps by nature, so only the log tells what the bus dropped. What came after it has been given: a
/// piece of text can only be counted as lost, while the end of a tool call and the like may still be told late.
struct RunComparison {
    private var given = NumberRanges()
    private var hasLive = false
    /// The stream brings events too that belong to the run without naming it.
    private var bringsUnnamed = false
    private var pieces = TextSum()
    /// False after pieces came twice, until the next call of the model.
    private var knowsPieces = true
    /// The final text is not what the pieces make.
    private var differs = false
    private var lastTodos: Int64 = .min

    /// The run's end, held back while the log is read.
    private(set) var end: EngineEvent?
    /// The number up to which the log has been compared.
    private(set) var place: Int64 = 0
    private var endedAt: UInt64 = 0
    private var grownAt: UInt64 = 0
    private var isComplete = false
    private var late: [EngineEvent] = []
    private var lost: Int64 = 0

    /// How long a run's end is held back where nothing speaks for a loss.
    static let patience: UInt64 = 1_000_000_000

    /// An event has been given; `isLive`: as it came, not from the log.
    mutating func note(_ event: EngineEvent, isLive: Bool) {
        guard let seq = event.envelope?.seq else { return }
        given.insert(seq)
        if isLive {
            hasLive = true
            if RunComparison.run(in: event) == nil { bringsUnnamed = true }
        }
        switch event.type {
        case EngineEventName.providerCallIterationStart: (pieces, knowsPieces) = (TextSum(), true)
        case EngineEventName.todoUpdated: lastTodos = max(lastTodos, seq)
        case EngineEventName.messagePartUpdated: noteText(event)
        default: break
        }
    }

    private mutating func noteText(_ event: EngineEvent) {
        let properties = event.properties
        if EventFrame.isFinalText(event) {
            var whole = TextSum()
            whole.add(properties.at("part", "text")?.string ?? "")
            differs = knowsPieces && whole != pieces
        } else if properties["agent"] == nil, let piece = properties["delta"]?.string {
            pieces.add(piece)
        }
    }

    /// What stands from that number on will be given anew; gives the end back, where it was held.
    mutating func rewind(to seq: Int64) -> EngineEvent? {
        given.remove(from: seq)
        knowsPieces = false
        defer { end = nil }
        return end
    }

    /// False where there is nothing to compare: all came from the log itself, or nobody knows what came.
    mutating func begin(_ end: EngineEvent, now: UInt64) -> Bool {
        guard hasLive, !given.isIncomplete, end.seq != nil, let first = given.first else { return false }
        self.end = end
        place = first &- 1
        (endedAt, grownAt) = (now, now)
        (isComplete, late, lost) = (false, [], 0)
        return true
    }

    /// True when the log has been compared to the run's end.
    mutating func take(_ page: LogPage, run: String, session: String?, now: UInt64) -> Bool {
        guard let end = end?.seq else { return true }
        for row in page.events {
            guard let seq = row.envelope?.seq, seq > place, !isComplete else { continue }
            place = seq
            grownAt = now
            isComplete = seq >= end
            if seq < end, !given.contains(seq), isExpected(row, run, session) { miss(row, seq) }
        }
        return isComplete
    }

    /// Nothing more is waited for: pieces that do not make the text have their log awaited as long as any that has lost.
    func isGivenUp(now: UInt64) -> Bool {
        differs ? now >= grownAt &+ RunLane.patience : now >= endedAt &+ RunComparison.patience
    }

    /// What was found: events to be told late, and how many of how many did not come.
    mutating func conclude() -> (late: [EngineEvent], counts: ResyncCounts) {
        var counts = ResyncCounts()
        counts.healed = Int64(late.count)
        counts.gaps = lost + counts.healed
        // The text says that something is missing, and the log does not say how much.
        if differs, !isComplete, lost == 0 { counts.gaps += 1 }
        defer { (end, late) = (nil, []) }
        return (late, counts)
    }

    private mutating func miss(_ row: EngineEvent, _ seq: Int64) {
        if isStillTrue(row, seq) { late.append(row) } else { lost += 1 }
    }

    /// Whether the engine's filter lets such an event pass.
    private func isExpected(_ row: EngineEvent, _ run: String, _ session: String?) -> Bool {
        if let named = RunComparison.run(in: row) { return named == run }
        guard bringsUnnamed, let session else { return false }
        return ["sessionID", "sessionId", "id"].contains { row.properties[$0]?.string == session }
    }

    /// Whether an event says the same when it comes after the others.
    private func isStillTrue(_ row: EngineEvent, _ seq: Int64) -> Bool {
        switch row.type {
        case EngineEventName.providerUsage, EngineEventName.permissionReplied, EngineEventName.questionReplied: true
        case EngineEventName.todoUpdated: seq > lastTodos
        case EngineEventName.messagePartUpdated:
            ["completed", "failed", "denied"].contains(row.properties.at("part", "state")?.string ?? "")
        default: false
        }
    }

    private static func run(in event: EngineEvent) -> String? {
        ["runID", "runId", "run_id"].lazy.compactMap { event.properties[$0]?.string }.first
    }
}

/// Stands for a text of any length: equal texts have equal sums, however they came in pieces.
struct TextSum: Equatable {
    private var length = 0
    /// FNV-1a.
    private var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ text: String) {
        for byte in text.utf8 {
            length &+= 1
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
    }
}

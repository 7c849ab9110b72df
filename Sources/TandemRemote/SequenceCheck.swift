internal import TandemContract

/// Finds what is missing on an unfiltered stream, whose events are numbered without a gap: a value.
struct SequenceCheck {
    enum Finding: Equatable {
        case next
        /// These numbers did not come; so many of them not even cut.
        case gap(ClosedRange<Int64>, lost: Int64)
        case duplicate
        /// The numbers began anew: it is another process that publishes.
        case restarted
    }

    /// On a stream that is filtered, gaps are normal.
    private(set) var findsGaps: Bool
    private var last: Int64?
    private var cuts: Int64 = 0
    private var isFirst = true
    /// The first number of this connection.
    private var first: Int64?
    private var recent: [Known] = []

    private struct Known: Equatable {
        let eventID: String
        let runID: String?
        let sessionID: String?

        init(_ envelope: EngineEvent.Envelope? = nil) {
            eventID = envelope?.eventID ?? ""
            runID = envelope?.runID
            sessionID = envelope?.sessionID
        }
    }

    private static let remembered = 4_096
    /// Events that are published at once may change places.
    private static let disorder: Int64 = 8

    init(findsGaps: Bool) { self.findsGaps = findsGaps }

    /// The events that follow come over another connection.
    mutating func reconnect() { isFirst = true }

    /// A frame came whose number cannot be read.
    mutating func cut() { cuts += 1 }

    mutating func note(_ envelope: EngineEvent.Envelope) -> Finding {
        let finding = find(envelope)
        if finding == .next, goesBack(envelope.seq) { findsGaps = false }
        if finding != .duplicate {
            if isFirst { first = envelope.seq }
            isFirst = false
        }
        if finding == .restarted {
            recent = []
            last = nil
        }
        if finding != .duplicate, envelope.seq > last ?? .min {
            last = envelope.seq
            cuts = 0
        }
        remember(envelope)
        return finding
    }

    private func find(_ envelope: EngineEvent.Envelope) -> Finding {
        guard let last else { return .next }
        guard envelope.seq > last else {
            if isKnown(envelope) { return .duplicate }
            return isFirst ? .restarted : .next
        }
        guard findsGaps, envelope.seq > last &+ 1 else { return .next }
        let (missing, overflow) = envelope.seq.subtractingReportingOverflow(last)
        return .gap(last + 1...envelope.seq - 1, lost: max((overflow ? .max : missing - 1) - cuts, 0))
    }

    /// A server whose numbers begin anew on one connection does not number its bus: nothing is missing that they say is.
    private func goesBack(_ seq: Int64) -> Bool {
        guard let first, let last, !isFirst else { return false }
        return seq <= first && last > seq &+ SequenceCheck.disorder
    }

    private func slot(_ seq: Int64) -> Int { Int(seq.magnitude % UInt64(SequenceCheck.remembered)) }

    private func isKnown(_ envelope: EngineEvent.Envelope) -> Bool {
        let slot = slot(envelope.seq)
        return slot < recent.count && recent[slot] == Known(envelope)
    }

    private mutating func remember(_ envelope: EngineEvent.Envelope) {
        let slot = slot(envelope.seq)
        if recent.isEmpty { recent = Array(repeating: Known(), count: SequenceCheck.remembered) }
        recent[slot] = Known(envelope)
    }
}

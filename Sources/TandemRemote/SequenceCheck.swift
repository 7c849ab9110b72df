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
        /// These numbers contradict each other, and so nothing follows from any of them; said once.
        case meaningless
    }

    /// On a stream that is filtered, gaps are normal.
    let findsGaps: Bool
    private var isMeaningless = false
    private var last: Int64?
    private var cuts: Int64 = 0
    private var isFirst = true
    /// The first number of this connection.
    private var first: Int64?
    private var recent: [Known?] = []

    private var connection = 0

    private struct Known {
        let seq: Int64
        let eventID: String
        let runID: String?
        let sessionID: String?
        let connection: Int

        init(_ envelope: EngineEvent.Envelope, _ connection: Int) {
            seq = envelope.seq
            eventID = envelope.eventID
            runID = envelope.runID
            sessionID = envelope.sessionID
            self.connection = connection
        }

        func isSame(_ other: Known) -> Bool {
            eventID == other.eventID && runID == other.runID && sessionID == other.sessionID
        }
    }

    private static let remembered = 4_096
    /// Events that are published at once may change places.
    private static let disorder: Int64 = 8

    init(findsGaps: Bool) { self.findsGaps = findsGaps }

    /// The events that follow come over another connection.
    mutating func reconnect() {
        isFirst = true
        connection += 1
    }

    /// A frame came whose number cannot be read.
    mutating func cut() { cuts += 1 }

    /// Something else has shown that the numbers mean nothing.
    mutating func mistrust() {
        isMeaningless = true
        recent = []
    }

    mutating func note(_ envelope: EngineEvent.Envelope) -> Finding {
        if isMeaningless { return .next }
        if contradicts(envelope) || goesBack(envelope.seq) {
            mistrust()
            return .meaningless
        }
        let finding = find(envelope)
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

    /// A process gives a number once, and no event's identifier to another.
    private func contradicts(_ envelope: EngineEvent.Envelope) -> Bool {
        let new = Known(envelope, connection)
        guard let old = known(envelope.seq), !old.isSame(new) else { return false }
        return old.eventID == new.eventID || old.connection == new.connection
    }

    private func slot(_ seq: Int64) -> Int { Int(seq.magnitude % UInt64(SequenceCheck.remembered)) }

    private func known(_ seq: Int64) -> Known? {
        let slot = slot(seq)
        guard slot < recent.count, let known = recent[slot], known.seq == seq else { return nil }
        return known
    }

    private func isKnown(_ envelope: EngineEvent.Envelope) -> Bool {
        known(envelope.seq)?.isSame(Known(envelope, connection)) ?? false
    }

    private mutating func remember(_ envelope: EngineEvent.Envelope) {
        let slot = slot(envelope.seq)
        if recent.isEmpty { recent = Array(repeating: nil, count: SequenceCheck.remembered) }
        recent[slot] = Known(envelope, connection)
    }
}

internal import TandemContract
internal import TandemJSON

/// What of a run came cut and has not been met in its log: a value.
struct CutEvents {
    /// Frames of which nobody knows the number.
    private var frames = 0
    /// The numbers of pieces of text.
    private var deltas: Set<Int64> = []
    /// The first of them, should no log give them whole.
    private var kept: [EngineEvent] = []

    private static let keptLimit = 16
    /// Frames that long are cut by the engine, at 16,000 bytes with all that is around an event's properties.
    private static let longFrame = 15_000

    mutating func noteFrame() { frames += 1 }

    mutating func note(delta event: EngineEvent) {
        if let seq = event.seq { deltas.insert(seq) }
        if kept.count < CutEvents.keptLimit { kept.append(event) }
    }

    /// Whether a row of the log is of a piece that came cut; once for each.
    mutating func meetDelta(_ seq: Int64) -> Bool { deltas.remove(seq) != nil }

    /// Whether a row of the log may be of a frame that came cut.
    mutating func meetFrame(_ row: EngineEvent) -> Bool {
        guard frames > 0, row.properties.bytes.count > CutEvents.longFrame else { return false }
        frames -= 1
        return true
    }

    /// Puts the cut pieces where they came among others: no log will give them whole.
    mutating func putBack(into events: inout [EngineEvent]) {
        for cut in kept where deltas.contains(cut.seq ?? 0) {
            // Of one run the numbers rise, whatever else they mean.
            let place = events.firstIndex { $0.seq ?? 0 > cut.seq ?? 0 } ?? events.endIndex
            events.insert(cut, at: place)
        }
        deltas = []
        kept = []
    }
}

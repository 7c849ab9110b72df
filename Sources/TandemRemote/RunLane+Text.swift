internal import TandemContract

// A filtered stream's run is over without its final text: the log is asked for what came since the last piece.
extension RunLane {
    /// The end waits until the log has given that.
    mutating func ask(for end: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        lose(now: now)
        rewindToText(now)
        held.replace(with: end)
        return []
    }

    /// Has the log give again what came since the last piece of text, but for what has been given.
    mutating func rewindToText(_ now: UInt64) {
        text.isAskedFor = true
        overtaken.formUnion(text.since)
        delivered = min(delivered, text.seq)
        readUpTo = min(readUpTo, delivered)
        readingAfter = nil
        reading.at = now
    }
}

internal import TandemContract

// A filtered stream's run is over: its log says whether all of it came.
extension RunLane {
    /// Holds the end back until then, where there is something to compare.
    mutating func compare(_ end: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        guard comparison.begin(end, now: now) else { return close(with: end) }
        phase = .comparing
        readingAfter = nil
        reading.soon(now)
        return []
    }

    mutating func take(comparing page: LogPage, now: UInt64) -> [EngineEvent] {
        if comparison.take(page, run: runID, session: sessionID, now: now) { return stopComparing() }
        if page.isFull {
            reading.soon(now)
            return []
        }
        return compareLater(now)
    }

    /// The log could not be read.
    mutating func compareLater(_ now: UInt64, isLasting: Bool = false) -> [EngineEvent] {
        if isLasting || comparison.isGivenUp(now: now) { return stopComparing() }
        reading.later(now)
        return []
    }

    /// The end comes now, whatever is known of what it comes after.
    mutating func stopComparing() -> [EngineEvent] {
        guard phase == .comparing, let end = comparison.end else { return [] }
        let found = comparison.conclude()
        counts.gaps += found.counts.gaps
        counts.healed += found.counts.healed
        return found.late + close(with: end)
    }
}

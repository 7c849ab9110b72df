internal import TandemContract
internal import TandemSystem

// What may not have come, and what that means for its runs.
extension Follower {
    mutating func noteDuplicate(of run: String?) {
        if let run, lanes[run] != nil { lanes[run]?.noteDuplicate() } else { outside.duplicates += 1 }
    }

    /// These numbers did not come; so many of them not even cut.
    mutating func lose(_ numbers: ClosedRange<Int64>, lost: Int64, now: UInt64) {
        if filter.isEverything { missing.lose(numbers) }
        if lost > 0 { lose(now: now) }
        settleMissing()
    }

    /// Something may be missing, nobody knows how much.
    mutating func lose(now: UInt64) {
        hasMissed = true
        change { $0.lose(now: now) }
    }

    func has(_ frame: CutFrame) -> [Bool?] { lanes.values.map { $0.has(frame) } }

    /// A frame was cut; `isCertain`: it names a run that somebody follows.
    mutating func cut(_ frame: CutFrame, isCertain: Bool, now: UInt64) {
        hasMissed = true
        change { lane in
            if lane.has(frame) ?? !isCertain { lane.cut(now: now) }
        }
    }

    mutating func reconnected(now: UInt64) {
        hasMissed = true
        change { $0.reconnected(now: now) }
    }

    mutating func engineRestarted(now: UInt64) {
        logEnds = [:]
        change { $0.engineRestarted(now: now) }
    }

    /// The numbers mean nothing: what was held because of them follows, and nothing is held any more.
    mutating func mistrust(now: UInt64) {
        trustsNumbers = false
        logEnds = [:]
        missing.forget()
        for id in lanes.keys.sorted() {
            guard var lane = lanes.removeValue(forKey: id) else { continue }
            append(lane.mistrust(now: now))
            keep(lane)
        }
    }

    /// When no log is being read any more, what is still missing is lost.
    mutating func settleMissing() {
        guard !missing.isEmpty, !lanes.values.contains(where: { $0.phase == .healing }) else { return }
        outside.gaps = outside.gaps.saturatingAdd(missing.settle())
        tellOutside()
    }
}

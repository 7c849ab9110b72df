/// When a log is read next, less and less often while it does not grow: a value.
struct ReadingTime {
    /// nil: not, or it is being read.
    var at: UInt64?
    private var pause = first

    private static let first: UInt64 = 100_000_000
    private static let longest: UInt64 = 1_000_000_000

    mutating func soon(_ now: UInt64) {
        at = now
        pause = ReadingTime.first
    }

    mutating func later(_ now: UInt64) {
        at = now &+ pause
        pause = min(pause * 2, ReadingTime.longest)
    }

    /// It will be read often again; at once, unless it is being read.
    mutating func hasten(_ now: UInt64) {
        pause = ReadingTime.first
        if at != nil { at = now }
    }

    /// It has grown.
    mutating func reset() { pause = ReadingTime.first }
}

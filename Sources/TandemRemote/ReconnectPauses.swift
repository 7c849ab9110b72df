/// How long to wait before a lost stream is opened again: a value.
struct ReconnectPauses {
    private var failures: Int64 = 0

    static let usualMilliseconds: Int64 = 500
    static let longestMilliseconds: Int64 = 30_000

    /// A connection has brought something.
    mutating func succeeded() { failures = 0 }

    /// `base`: what the stream asked for with `retry:`; `random` is any number.
    ///
    /// Half of the step is fixed, half is chance: clients that lost one engine together come back one by one.
    mutating func next(base: Int64?, random: UInt64) -> Int64 {
        let first = min(max(base ?? ReconnectPauses.usualMilliseconds, 1), ReconnectPauses.longestMilliseconds)
        let step = min(first << min(failures, 16), ReconnectPauses.longestMilliseconds)
        failures += 1
        // A server that names a time is not called sooner.
        if base != nil, failures == 1 { return step + Int64(random % UInt64(step / 2 + 1)) }
        return step / 2 + Int64(random % UInt64(step / 2 + 1))
    }
}

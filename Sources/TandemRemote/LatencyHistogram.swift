/// How long things took, in microseconds, as counts in buckets of fixed number: a value.
///
/// Buckets double in width with each power of two and are 1/32 of it wide, so a quantile is right within 1.6 %.
struct LatencyHistogram: Sendable, Equatable {
    private(set) var count: UInt64 = 0
    private var maximum: UInt64 = 0
    private var buckets: [UInt64]

    private static let bits = 5
    /// Longer ones, of more than an hour, count as this.
    private static let limit: UInt64 = (1 << 32) - 1
    static let bucketCount = (32 - bits + 1) << bits

    init() { buckets = Array(repeating: 0, count: LatencyHistogram.bucketCount) }

    mutating func record(_ microseconds: UInt64) {
        count += 1
        maximum = max(maximum, microseconds)
        buckets[LatencyHistogram.bucket(of: min(microseconds, LatencyHistogram.limit))] += 1
    }

    /// The longest of all, exact; nil where nothing was recorded.
    var longest: UInt64? { count == 0 ? nil : maximum }

    /// What so many of a hundred did not exceed; nil where nothing was recorded.
    func percentile(_ percent: UInt64) -> UInt64? {
        if count == 0 { return nil }
        // The rank counts from 1 and is rounded up: of two, the half is the first.
        let rank = max((count / 100) * percent + ((count % 100) * percent + 99) / 100, 1)
        var seen: UInt64 = 0
        for (index, held) in buckets.enumerated() where held > 0 {
            seen += held
            if seen >= rank { return min(LatencyHistogram.middle(of: index), maximum) }
        }
        return maximum
    }

    /// Exact below 32; above, the place of the highest bit and the five bits behind it.
    private static func bucket(of value: UInt64) -> Int {
        let shift = max(63 - value.leadingZeroBitCount - bits, 0)
        return (shift << bits) + Int(value >> UInt64(shift))
    }

    private static func middle(of index: Int) -> UInt64 {
        if index < 2 << bits { return UInt64(index) }
        let shift = UInt64(index >> bits) - 1
        let lower = UInt64(index & ((1 << bits) - 1) | (1 << bits)) << shift
        return lower + (1 << shift) / 2
    }
}

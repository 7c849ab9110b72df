internal import TandemSystem

/// One try of a request: which, and since when.
struct Attempt: Sendable {
    private(set) var number: Int64 = 0
    /// On the monotonic clock.
    private var began: UInt64 = 0

    mutating func begin() {
        number += 1
        began = Deadline.now
    }

    var isRetry: Bool { number > 1 }

    var microseconds: UInt64 { (Deadline.now - began) / 1_000 }
}

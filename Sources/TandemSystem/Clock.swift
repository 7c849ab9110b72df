internal import Glibc

/// Where wall-clock time comes from; a deterministic client counts it itself.
package protocol Clock: Sendable {
    /// Milliseconds since 1970.
    var milliseconds: Int64 { get }
}

/// The system's wall clock.
package struct SystemClock: Clock {
    package init() {}

    package var milliseconds: Int64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

/// A clock that moves on by one millisecond each time it is read.
package final class CountingClock: Clock {
    private let now: Lock<Int64>

    package init(startingAt milliseconds: Int64) { now = Lock(milliseconds) }

    package var milliseconds: Int64 {
        now.withLock { now in
            now += 1
            return now
        }
    }
}

internal import Glibc

/// A moment on the monotonic clock, or never.
package struct Deadline: Sendable, Equatable {
    /// Nanoseconds on the monotonic clock; nil means never.
    package let nanoseconds: UInt64?

    package static let never = Deadline(nanoseconds: nil)
    package static let passed = Deadline(nanoseconds: 0)

    package init(nanoseconds: UInt64?) { self.nanoseconds = nanoseconds }

    /// So many milliseconds from now; a negative number means never, 0 a moment that has passed.
    package init(afterMilliseconds milliseconds: Int64) {
        if milliseconds == 0 {
            self = .passed
        } else {
            self.init(afterMilliseconds: milliseconds, from: Deadline.now)
        }
    }

    /// So many milliseconds after a moment of the clock; a negative number, and a moment that the clock cannot show, mean
    /// never.
    package init(afterMilliseconds milliseconds: Int64, from start: UInt64) {
        guard milliseconds >= 0 else {
            self = .never
            return
        }
        let (span, overflow) = UInt64(milliseconds).multipliedReportingOverflow(by: 1_000_000)
        let (end, beyond) = start.addingReportingOverflow(span)
        self.init(nanoseconds: overflow || beyond ? nil : end)
    }

    package var hasPassed: Bool { nanoseconds.map { $0 <= Deadline.now } ?? false }

    /// Milliseconds left, rounded up; nil for never.
    package var millisecondsLeft: Int64? {
        nanoseconds.map { end in
            let now = Deadline.now
            return end <= now ? 0 : Int64(clamping: (end - now + 999_999) / 1_000_000)
        }
    }

    /// The monotonic clock in nanoseconds.
    package static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

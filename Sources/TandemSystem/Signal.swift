package import CTandemSystem

/// Something to wait for that may be raised from anywhere, a signal handler included.
///
/// Look at `epoch`, look whether what you wait for is there, and only then wait for the epoch to change: a raise in
/// between is not missed.
@safe package final class Signal: @unchecked Sendable {
    private let raw: UnsafeMutablePointer<libtandem_signal>
    private let isOwned: Bool

    package init() {
        unsafe raw = .allocate(capacity: 1)
        unsafe raw.initialize(to: libtandem_signal())
        isOwned = true
    }

    /// Uses a word that lives as long as the process.
    @unsafe package init(borrowing raw: UnsafeMutablePointer<libtandem_signal>) {
        unsafe self.raw = raw
        isOwned = false
    }

    deinit { if isOwned { unsafe raw.deallocate() } }

    package var epoch: UInt32 { unsafe libtandem_signal_epoch(raw) }

    package func raise() { unsafe libtandem_signal_raise(raw) }

    /// Waits until the epoch is another or the deadline has passed; may return for no reason.
    package func wait(whileEpoch epoch: UInt32, until deadline: Deadline) {
        unsafe libtandem_signal_wait(raw, epoch, deadline.nanoseconds ?? .max)
    }
}

internal import CTandemSystem

/// A descriptor that is readable while it is set, for hosts that poll.
package struct WakeupDescriptor: Sendable {
    package let raw: Int32
    private var isSet = false

    /// Nil when the process may open no more.
    package init?() {
        raw = libtandem_eventfd_create()
        if raw < 0 { return nil }
    }

    package mutating func set(_ isReady: Bool) {
        guard isReady != isSet else { return }
        isReady ? libtandem_eventfd_signal(raw) : libtandem_eventfd_clear(raw)
        isSet = isReady
    }

    package func close() { libtandem_close(raw) }
}

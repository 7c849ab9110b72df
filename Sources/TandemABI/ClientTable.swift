internal import CTandemKernel
internal import TandemClient
internal import TandemSystem

/// The open clients by their handles: a slot and a generation, so that a stale handle is an error, never a crash.
enum ClientTable {
    private static let clients = Lock<[UInt: Client]>([:])

    /// The client, unless it is closed or being closed.
    static func find(_ handle: OpaquePointer?) -> Client? {
        guard let client = unsafe findClosing(handle), !client.isClosing else { return nil }
        return client
    }

    /// The client, also while it is being closed: for close itself.
    static func findClosing(_ handle: OpaquePointer?) -> Client? {
        let key = UInt(bitPattern: handle)
        return clients.withLock { $0[key] }
    }

    static func insert(_ client: Client, _ handle: OpaquePointer?) {
        let key = UInt(bitPattern: handle)
        clients.withLock { $0[key] = client }
    }

    static func remove(_ handle: OpaquePointer?) {
        let key = UInt(bitPattern: handle)
        let client = clients.withLock { $0.removeValue(forKey: key) }
        if let slot = unsafe libtandem_slot_of(handle) { unsafe libtandem_slot_free(slot) }
        // Released here, not under the lock.
        _ = client
    }
}

extension Slot {
    /// What the client is told of its slot.
    func host() -> ClientHost {
        unsafe ClientHost(
            signal: Signal(borrowing: libtandem_slot_signal(raw)),
            slot: index,
            setBusy: { [self] isBusy in unsafe libtandem_slot_set_busy(raw, isBusy ? 1 : 0) },
            takeWoken: { [self] in unsafe libtandem_slot_take_woken(raw) != 0 },
            runWakeup: { wakeup in
                unsafe libtandem_run_wakeup(
                    unsafeBitCast(wakeup.function, to: tandem_notify_fn?.self),
                    UnsafeMutableRawPointer(bitPattern: wakeup.context)
                )
            }
        )
    }
}

/// A slot of the C side: static memory, so it may be kept anywhere.
@safe struct Slot: @unchecked Sendable {
    let raw: UnsafeMutablePointer<libtandem_slot>

    /// Nil when the process has no more room for clients.
    init?() {
        guard let slot = unsafe libtandem_slot_take() else { return nil }
        unsafe raw = slot
    }

    var index: Int { unsafe Int(libtandem_slot_index(raw)) }
    var handle: OpaquePointer? { unsafe OpaquePointer(bitPattern: raw.pointee.handle) }
    func free() { unsafe libtandem_slot_free(raw) }
}

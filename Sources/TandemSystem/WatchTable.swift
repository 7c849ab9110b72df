internal import CTandemSystem

/// What a descriptor is ready for.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: Int32(LIBTANDEM_READABLE.rawValue))
    package static let writable = Readiness(rawValue: Int32(LIBTANDEM_WRITABLE.rawValue))
    /// An error or a hang-up; reported whether asked for or not.
    package static let broken = Readiness(rawValue: Int32(LIBTANDEM_BROKEN.rawValue))
}

/// The callbacks of watched descriptors, found by a tag that outlives neither its callback nor its descriptor's number.
struct WatchTable {
    struct Watch {
        let tag: UInt64
        let interest: Readiness
        /// Whether a thread of the host is to find out that it is ready.
        let isLent: Bool
        let ready: (Readiness) -> Void
    }

    static let wakeupTag = UInt64.max
    /// Of a descriptor that is the host's to look at.
    static let hostTag = UInt64.max - 1

    private var watches: [Int32: Watch] = [:]
    private var generation: UInt32 = 0
    private(set) var lent: Set<Int32> = []

    subscript(_ fd: Int32) -> Watch? { watches[fd] }

    /// Keeps the callback and gives the tag to register with epoll.
    mutating func insert(
        _ fd: Int32,
        _ interest: Readiness,
        isLent: Bool = false,
        _ ready: @escaping (Readiness) -> Void
    ) -> UInt64 {
        generation &+= 1
        let tag = UInt64(generation) << 32 | UInt64(UInt32(bitPattern: fd))
        watches[fd] = Watch(tag: tag, interest: interest, isLent: isLent, ready: ready)
        if isLent { lent.insert(fd) } else { lent.remove(fd) }
        return tag
    }

    mutating func remove(_ fd: Int32) -> Watch? {
        lent.remove(fd)
        return watches.removeValue(forKey: fd)
    }

    func callback(for tag: UInt64) -> ((Readiness) -> Void)? {
        let fd = Int32(bitPattern: UInt32(truncatingIfNeeded: tag))
        guard let watch = watches[fd], watch.tag == tag else { return nil }
        return watch.ready
    }
}

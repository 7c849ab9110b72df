internal import TandemSystem

/// Numbers of operations, providers and host calls: never used twice in the process, and each says what it stands for
/// and whose client it belongs to.
enum OperationID {
    enum Kind: UInt64 { case operation, provider, call }

    private static let last = Lock<UInt64>(0)
    private static let slotBits: UInt64 = 12
    private static let kindBits: UInt64 = 2
    private static let ownerMask: UInt64 = 1 << (slotBits + kindBits) - 1

    static func next(slot: Int, _ kind: Kind = .operation) -> UInt64 {
        let count = last.withLock { last in
            last += 1
            return last
        }
        return count << (slotBits + kindBits) | kind.rawValue << slotBits | UInt64(truncatingIfNeeded: slot)
    }

    /// Not above any number that is still to come, nor below any that was given.
    static var current: UInt64 { last.withLock { $0 << (slotBits + kindBits) } | ownerMask }

    static func slot(of id: UInt64) -> Int { Int(id & (1 << slotBits - 1)) }

    static func kind(of id: UInt64) -> Kind? { Kind(rawValue: id >> slotBits & (1 << kindBits - 1)) }
}

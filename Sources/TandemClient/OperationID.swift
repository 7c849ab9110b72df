internal import TandemSystem

/// Numbers of operations: never used twice in the process, and each says whose client it belongs to.
enum OperationID {
    private static let last = Lock<UInt64>(0)
    private static let slotBits: UInt64 = 12

    static func next(slot: Int) -> UInt64 {
        let count = last.withLock { last in
            last += 1
            return last
        }
        return count << slotBits | UInt64(truncatingIfNeeded: slot)
    }

    /// The number that the next operation of any client will be above.
    static var current: UInt64 { last.withLock { $0 << slotBits } }

    static func slot(of id: UInt64) -> Int { Int(id & (1 << slotBits - 1)) }
}

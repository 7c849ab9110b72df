/// Who of many may go, so many at once, and who waits in order: a value.
struct TurnQueue<Waiter> {
    private let limit: Int
    private(set) var running = 0
    private var waiting: [Int: Waiter] = [:]
    /// Tickets are given in order; those up to `called` have had their turn or left.
    private var issued = 0
    private var called = 0

    init(limit: Int) { self.limit = limit }

    var waitingCount: Int { waiting.count }

    /// A ticket for one that has to wait; nil for one that may go at once.
    mutating func enter(_ waiter: Waiter) -> Int? {
        if running < limit {
            running += 1
            return nil
        }
        issued += 1
        waiting[issued] = waiter
        return issued
    }

    /// One that went is through; whose turn it is now.
    mutating func leave() -> Waiter? {
        while called < issued {
            called += 1
            if let next = waiting.removeValue(forKey: called) { return next }
        }
        running -= 1
        return nil
    }

    /// One that waits does so no more.
    mutating func withdraw(_ ticket: Int) { waiting[ticket] = nil }
}

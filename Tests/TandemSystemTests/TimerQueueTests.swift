import Testing

@testable import TandemSystem

@Suite struct TimerQueueTests {
    private func drain(_ queue: inout TimerQueue, until now: UInt64, _ seen: Lock<[Int]>) -> [Int] {
        while let job = queue.popDue(at: now) { job() }
        return seen.withLock { $0 }
    }

    @Test func jobsComeInTheOrderOfTheirMoments() {
        var queue = TimerQueue()
        let seen = Lock<[Int]>([])
        for due in [5, 3, 9, 1, 7, 3, 2, 8] { _ = queue.insert(due: UInt64(due)) { seen.withLock { $0.append(due) } } }
        #expect(queue.next == 1)
        #expect(drain(&queue, until: 7, seen) == [1, 2, 3, 3, 5, 7])
        #expect(queue.next == 8)
        #expect(drain(&queue, until: .max, seen) == [1, 2, 3, 3, 5, 7, 8, 9])
        #expect(queue.next == nil)
    }

    @Test func equalMomentsKeepTheirOrder() {
        var queue = TimerQueue()
        let seen = Lock<[Int]>([])
        for number in 0..<100 { _ = queue.insert(due: 1) { seen.withLock { $0.append(number) } } }
        #expect(drain(&queue, until: 1, seen) == Array(0..<100))
    }

    @Test func cancelledJobsAreClearedAway() {
        var queue = TimerQueue()
        let seen = Lock<[Int]>([])
        let ids = (0..<1_000).map { number in
            queue.insert(due: UInt64(1_000 - number)) { seen.withLock { $0.append(number) } }
        }
        for id in ids.dropLast(3) { #expect(queue.cancel(id) != nil) }
        #expect(queue.cancel(ids[0]) == nil)
        #expect(drain(&queue, until: .max, seen) == [999, 998, 997])
    }

    @Test func aCancelledTimerIsLookedAtOnce() {
        var queue = TimerQueue()
        let cancelled = [10, 11, 12].map { queue.insert(due: $0) {} }
        _ = queue.insert(due: 20) {}
        for id in cancelled { #expect(queue.cancel(id) != nil) }
        #expect(queue.next == 10)
        #expect(queue.popDue(at: 9) == nil)
        #expect(queue.next == 10)
        #expect(queue.popDue(at: 10) == nil)
        #expect(queue.next == 20)
    }
}

import TandemSystem
import Testing

@Suite struct LockTests {
    private struct Refused: Error, Equatable {}

    @Test func oneThreadAtATimeChangesTheState() {
        let count = Lock(0)
        let threads = (0..<4).compactMap { _ in
            Thread.start("counter") { for _ in 0..<10_000 { count.withLock { $0 += 1 } } }
        }
        for thread in threads { #expect(thread.join(by: Deadline(afterMilliseconds: 10_000))) }
        #expect(count.withLock { $0 } == 40_000)
    }

    @Test func errorLeavesItUnlocked() {
        let count = Lock(1)
        #expect(throws: Refused()) { try count.withLock { _ throws(Refused) in throw Refused() } }
        #expect(count.withLock { $0 } == 1)
    }
}

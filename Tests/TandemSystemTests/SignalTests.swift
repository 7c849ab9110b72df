import Glibc
import TandemSystem
import Testing

@Suite struct SignalTests {
    private func soon() -> Deadline { Deadline(afterMilliseconds: 10_000) }

    @Test func raisingMovesTheEpochOn() {
        let signal = Signal()
        let before = signal.epoch
        signal.raise()
        #expect(signal.epoch != before)
    }

    @Test func raiseBeforeTheWaitIsNotMissed() {
        let signal = Signal()
        let epoch = signal.epoch
        signal.raise()
        let start = Deadline.now
        signal.wait(whileEpoch: epoch, until: .never)
        #expect(Deadline.now - start < 10_000_000_000)
    }

    @Test func waiterIsWoken() throws {
        let signal = Signal()
        let epoch = signal.epoch
        let thread = try #require(
            Thread.start("waiter") { while signal.epoch == epoch { signal.wait(whileEpoch: epoch, until: .never) } }
        )
        signal.raise()
        #expect(thread.join(by: soon()))
    }

    @Test func allWaitersAreWoken() throws {
        let signal = Signal()
        let epoch = signal.epoch
        let threads = (0..<4).compactMap { _ in
            Thread.start("waiter") { while signal.epoch == epoch { signal.wait(whileEpoch: epoch, until: .never) } }
        }
        #expect(threads.count == 4)
        signal.raise()
        for thread in threads { #expect(thread.join(by: soon())) }
    }

    @Test func waitEndsAtItsDeadline() {
        let signal = Signal()
        let end = Deadline(afterMilliseconds: 20)
        // It may return for no reason.
        while !end.hasPassed { signal.wait(whileEpoch: signal.epoch, until: end) }
        #expect(end.hasPassed)
    }

    @Test func passedDeadlineNeedsNoTime() {
        let signal = Signal()
        signal.wait(whileEpoch: signal.epoch, until: .passed)
        #expect(signal.epoch == 0)
    }

    @Test func raisingKeepsErrno() {
        let signal = Signal()
        errno = EXDEV
        signal.raise()
        #expect(errno == EXDEV)
    }

    @Test func everyRaiseOfManyThreadsCounts() throws {
        let signal = Signal()
        let threads = (0..<4).compactMap { _ in
            Thread.start("raiser") { for _ in 0..<1_000 { signal.raise() } }
        }
        for thread in threads { #expect(thread.join(by: soon())) }
        #expect(signal.epoch == 4_000)
    }
}

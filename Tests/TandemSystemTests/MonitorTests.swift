import TandemSystem
import Testing

@Suite struct MonitorTests {
    @Test func waiterSeesTheChange() throws {
        let monitor = Monitor(0)
        let thread = try #require(Thread.start("changer") { monitor.change { $0 = 7 } })
        #expect(monitor.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 == 7 ? $0 : nil } == 7)
        #expect(thread.join(by: Deadline(afterMilliseconds: 10_000)))
    }

    @Test func waitEndsAtItsDeadline() {
        let start = Deadline.now
        #expect(Monitor(0).wait(until: Deadline(afterMilliseconds: 30)) { _ in nil as Int? } == nil)
        #expect(Deadline.now - start >= 30_000_000)
    }

    @Test func valueThatIsThereNeedsNoTime() {
        #expect(Monitor(3).wait(until: .passed) { $0 } == 3)
    }
}

import Glibc
import TandemSystem
import Testing

@Suite struct ThreadTests {
    private func soon() -> Deadline { Deadline(afterMilliseconds: 10_000) }

    @Test func bodyRunsUnderItsName() throws {
        let name = Monitor("")
        let thread = try #require(
            Thread.start("tandem-long-name-that-is-cut") {
                let fd = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
                defer { close(fd) }
                var text = [UInt8](repeating: 0, count: 32)
                let count = read(fd, &text, text.count)
                let seen = String(decoding: text.prefix(max(count - 1, 0)), as: UTF8.self)
                name.change { $0 = seen }
            }
        )
        #expect(thread.join(by: soon()))
        #expect(name.withLock { $0 } == "tandem-long-nam")
    }

    @Test func joinGivesUpAtItsDeadline() throws {
        let gate = Monitor(false)
        let thread = try #require(Thread.start("waiter") { _ = gate.wait(until: .never) { $0 ? true : nil } })
        #expect(!thread.join(by: Deadline(afterMilliseconds: 20)))
        gate.change { $0 = true }
        #expect(thread.join(by: soon()))
        #expect(thread.join(by: soon()))
    }

    @Test func callersSignalMaskIsUntouched() throws {
        var before = sigset_t()
        var after = sigset_t()
        pthread_sigmask(SIG_BLOCK, nil, &before)
        let thread = try #require(Thread.start("short") {})
        pthread_sigmask(SIG_BLOCK, nil, &after)
        #expect((1..<65).allSatisfy { sigismember(&before, $0) == sigismember(&after, $0) })
        #expect(thread.join(by: soon()))
    }
}

import TandemSystem
import Testing

@Suite struct WorkPoolTests {
    private func soon() -> Deadline { Deadline(afterMilliseconds: 10_000) }

    private func post(to pool: WorkPool, _ job: @escaping WorkPool.Job) {
        pool.post(job, orElse: { Issue.record("the job is refused: \($0)") })
    }

    @Test func allJobsRunOnAtMostSoManyThreads() {
        let pool = WorkPool(limit: 4)
        let state = Monitor((running: 0, most: 0, done: 0))
        #expect(pool.threadCount == 0)
        for _ in 0..<2_000 {
            post(to: pool) {
                state.change { $0 = ($0.running + 1, max($0.most, $0.running + 1), $0.done) }
                state.change { $0 = ($0.running - 1, $0.most, $0.done + 1) }
            }
        }
        #expect(pool.stop(by: soon()))
        #expect(state.withLock { $0.done } == 2_000)
        #expect(state.withLock { $0.most } <= 4)
        #expect(pool.threadCount == 0)
    }

    @Test func blockedJobsRunSideBySide() {
        let pool = WorkPool(limit: 4)
        let inside = Monitor(0)
        let met = Monitor(0)
        for _ in 0..<4 {
            post(to: pool) { [soon] in
                inside.change { $0 += 1 }
                if inside.wait(until: soon(), for: { $0 == 4 ? true : nil }) == true { met.change { $0 += 1 } }
            }
        }
        #expect(pool.stop(by: soon()))
        #expect(met.withLock { $0 } == 4)
    }

    @Test func idleThreadsLeaveAndComeBack() {
        let pool = WorkPool(limit: 2, idleMilliseconds: 10)
        let count = Monitor(0)
        for round in 1...20 {
            post(to: pool) { count.change { $0 += 1 } }
            #expect(count.wait(until: soon()) { $0 == round ? true : nil } == true)
            if round % 5 == 0 {
                let end = soon()
                while pool.threadCount > 0 && !end.hasPassed {}
                #expect(pool.threadCount == 0)
            }
        }
        #expect(pool.stop(by: soon()))
    }

    @Test func stoppedPoolTakesNothing() {
        let pool = WorkPool()
        #expect(pool.stop(by: soon()))
        let refusals = Monitor<[WorkPool.Refusal]>([])
        pool.post({ Issue.record("it runs") }, orElse: { refusal in refusals.change { $0.append(refusal) } })
        #expect(refusals.withLock { $0 } == [.stopped])
    }

    @Test func stopGivesUpAtItsDeadline() {
        let pool = WorkPool()
        let gate = Monitor(false)
        post(to: pool) { _ = gate.wait(until: .never) { $0 ? true : nil } }
        #expect(!pool.stop(by: Deadline(afterMilliseconds: 20)))
        gate.change { $0 = true }
        #expect(pool.stop(by: soon()))
    }
}

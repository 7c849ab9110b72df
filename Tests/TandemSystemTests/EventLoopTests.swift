import Glibc
import TandemSystem
import Testing

@Suite struct EventLoopTests {
    private func loop() throws -> EventLoop { try #require(EventLoop.start(name: "test-io")) }

    private func soon() -> Deadline { Deadline(afterMilliseconds: 10_000) }

    @Test func jobsRunInOrderOnTheLoopsThread() throws {
        let loop = try loop()
        let seen = Monitor<[Int]>([])
        for number in 0..<1_000 {
            #expect(loop.post { seen.change { $0.append(loop.isCurrent ? number : -1) } })
        }
        #expect(loop.stop(by: soon()))
        #expect(seen.withLock { $0 } == Array(0..<1_000))
    }

    @Test func jobsOfManyThreadsAllRun() throws {
        let loop = try loop()
        let count = Monitor(0)
        let threads = (0..<4).compactMap { _ in
            Thread.start("poster") { for _ in 0..<5_000 { loop.post { count.change { $0 += 1 } } } }
        }
        for thread in threads { #expect(thread.join(by: soon())) }
        #expect(count.wait(until: soon()) { $0 == 20_000 ? true : nil } == true)
        #expect(loop.stop(by: soon()))
    }

    @Test func timersRunInTheOrderOfTheirMoments() throws {
        let loop = try loop()
        let seen = Monitor<[Int]>([])
        let start = Deadline.now
        loop.after(Deadline(afterMilliseconds: 400)) { seen.change { $0.append(2) } }
        loop.after(Deadline(afterMilliseconds: 10)) { seen.change { $0.append(1) } }
        loop.after(.passed) { seen.change { $0.append(0) } }
        loop.after(.never) { seen.change { $0.append(9) } }
        #expect(seen.wait(until: soon()) { $0.count == 3 ? $0 : nil } == [0, 1, 2])
        #expect(Deadline.now - start >= 400_000_000)
        #expect(loop.stop(by: soon()))
    }

    @Test func cancelledTimerNeverRuns() throws {
        let loop = try loop()
        let seen = Monitor<[Int]>([])
        let cancelled = loop.after(Deadline(afterMilliseconds: 600_000)) { seen.change { $0.append(1) } }
        #expect(loop.cancelTimer(cancelled))
        #expect(!loop.cancelTimer(cancelled))
        loop.after(Deadline(afterMilliseconds: 15)) { seen.change { $0.append(2) } }
        #expect(seen.wait(until: soon()) { $0.isEmpty ? nil : $0 } == [2])
        #expect(loop.stop(by: soon()))
    }

    /// Whatever the loop sleeps for: a timer long after, one that was cancelled, or nothing.
    @Test func anEarlierTimerOfAnotherThreadIsInTime() throws {
        let loop = try loop()
        let seen = Monitor(0)
        for round in 1...30 {
            let later = loop.after(Deadline(afterMilliseconds: 600_000)) {}
            if round % 3 == 0 { loop.cancelTimer(later) }
            // Asleep, or about to be.
            #expect(loop.post {})
            loop.after(Deadline(afterMilliseconds: Int64(round % 2))) { seen.change { $0 += 1 } }
            #expect(seen.wait(until: soon()) { $0 == round ? true : nil } == true)
        }
        #expect(loop.stop(by: soon()))
    }

    /// Waits until the loop sleeps: then a job runs on the thread that brings it.
    private func runHere(_ loop: EventLoop, _ job: @escaping @Sendable () -> Void) {
        let me = pthread_self()
        let ran = Monitor(false)
        while !ran.withLock({ $0 }) {
            let turn = Monitor(false)
            loop.runOrPost {
                if pthread_self() == me {
                    job()
                    ran.change { $0 = true }
                }
                turn.change { $0 = true }
            }
            #expect(turn.wait(until: soon()) { $0 ? true : nil } == true)
        }
    }

    @Test func aSleepingLoopLendsItsTurn() throws {
        let loop = try loop()
        let seen = Monitor<[Bool]>([])
        #expect(!loop.isCurrent)
        runHere(loop) { seen.change { $0.append(loop.isCurrent) } }
        #expect(!loop.isCurrent)
        loop.post { seen.change { $0.append(loop.isCurrent) } }
        #expect(seen.wait(until: soon()) { $0.count == 2 ? $0 : nil } == [true, true])
        #expect(loop.stop(by: soon()))
    }

    @Test func whatALentTurnBringsIsForTheLoop() throws {
        let loop = try loop()
        let me = pthread_self()
        let seen = Monitor<[String]>([])
        runHere(loop) {
            loop.runOrPost { seen.change { $0.append(pthread_self() == me ? "job here" : "job") } }
            loop.after(Deadline(afterMilliseconds: 1)) { seen.change { $0.append("timer") } }
        }
        #expect(seen.wait(until: soon()) { $0.count == 2 ? $0.sorted() : nil } == ["job", "timer"])
        #expect(loop.stop(by: soon()))
    }

    @Test func whoHasTheTurnIsAlone() throws {
        let loop = try loop()
        let inside = Lock(0)
        let seen = Monitor((count: 0, most: 0))
        let job: @Sendable () -> Void = {
            let now = inside.withLock { inside in
                inside += 1
                return inside
            }
            sched_yield()
            inside.withLock { $0 -= 1 }
            seen.change { seen in
                seen.count += 1
                seen.most = max(seen.most, now)
            }
        }
        let threads = (0..<4).compactMap { number in
            Thread.start("lender") {
                for round in 0..<2_000 {
                    if round % 16 == number { loop.after(.passed, job) } else { loop.runOrPost(job) }
                }
            }
        }
        for thread in threads { #expect(thread.join(by: soon())) }
        #expect(seen.wait(until: soon()) { $0.count == 8_000 ? $0.most : nil } == 1)
        #expect(loop.stop(by: soon()))
        #expect(!loop.runOrPost {})
    }

    @Test func aLoopStopsWhileItsTurnIsLent() throws {
        for _ in 0..<100 {
            let loop = try loop()
            let seen = Monitor(0)
            let thread = try #require(
                Thread.start("lender") { while loop.runOrPost({ seen.change { $0 += 1 } }) {} }
            )
            #expect(seen.wait(until: soon()) { $0 > 3 ? true : nil } == true)
            try #require(loop.stop(by: soon()))
            #expect(thread.join(by: soon()))
        }
    }

    @Test func descriptorIsWatchedUntilUnwatched() throws {
        let loop = try loop()
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        let seen = Monitor<[Readiness]>([])
        loop.post {
            loop.watch(reader, for: .readable) { ready in
                loop.unwatch(reader)
                seen.change { $0.append(ready) }
            }
        }
        write(writer, "ab", 2)
        #expect(seen.wait(until: soon()) { $0.first } == .readable)
        loop.post { seen.change { $0.append([]) } }
        #expect(seen.wait(until: soon()) { $0.count == 2 ? $0.last : nil } == [])
        #expect(loop.stop(by: soon()))
        close(reader)
        close(writer)
    }

    @Test func closedPeerIsBroken() throws {
        let loop = try loop()
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        let seen = Monitor<Readiness>([])
        loop.post {
            loop.watch(reader, for: .readable) { ready in
                loop.unwatch(reader)
                seen.change { $0 = ready }
            }
        }
        close(writer)
        #expect(seen.wait(until: soon()) { $0.contains(.broken) ? true : nil } == true)
        #expect(loop.stop(by: soon()))
        close(reader)
    }

    @Test func stoppedLoopTakesNothingMore() throws {
        let loop = try loop()
        let seen = Monitor<[Int]>([])
        #expect(loop.beforeEnd { seen.change { $0.append(2) } })
        #expect(loop.beforeEnd { seen.change { $0.append(1) } })
        #expect(loop.stop(by: soon()))
        #expect(seen.withLock { $0 } == [1, 2])
        #expect(!loop.post {})
        #expect(!loop.beforeEnd {})
        #expect(loop.stop(by: soon()))
    }

    @Test func stopGivesUpAtItsDeadline() throws {
        let loop = try loop()
        let gate = Monitor(false)
        loop.post { _ = gate.wait(until: .never) { $0 ? true : nil } }
        #expect(!loop.stop(by: Deadline(afterMilliseconds: 20)))
        gate.change { $0 = true }
        #expect(loop.stop(by: soon()))
    }

    @Test func stopFromTheLoopItselfEndsIt() throws {
        let loop = try loop()
        let answer = Monitor<Bool?>(nil)
        loop.post { [soon] in
            let stopped = loop.stop(by: soon())
            answer.change { $0 = stopped }
        }
        #expect(answer.wait(until: soon()) { $0 } == false)
        #expect(loop.stop(by: soon()))
    }

    @Test func loopBlocksAllSignals() throws {
        let loop = try loop()
        let blocked = Monitor<Bool?>(nil)
        loop.post {
            var set = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &set)
            let all = [SIGPIPE, SIGALRM, SIGINT, SIGCHLD, SIGTERM].allSatisfy { sigismember(&set, $0) == 1 }
            blocked.change { $0 = all }
        }
        #expect(blocked.wait(until: soon()) { $0 } == true)
        #expect(loop.stop(by: soon()))
    }

    @Test func signalsThatComeWhileTheLoopTurnsAreNotLost() throws {
        for _ in 0..<2_000 {
            let loop = try #require(EventLoop.start())
            for _ in 0..<5 {
                loop.post {}
                loop.cancelTimer(loop.after(Deadline(afterMilliseconds: 60_000)) {})
            }
            try #require(loop.stop(by: Deadline(afterMilliseconds: 10_000)))
        }
    }
}

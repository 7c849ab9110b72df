import Glibc
import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

/// Runs beside faults, both drawn from a seed, in virtual time.
@Suite struct FaultScheduleTests {
    /// 300, or as many as TANDEM_TEST_SCHEDULES says.
    private static var seeds: Int {
        guard let text = unsafe getenv("TANDEM_TEST_SCHEDULES") else { return 300 }
        return unsafe Int(String(cString: text)) ?? 300
    }

    @Test func whateverBreaksTheStreamTellsTheTruth() {
        for seed in (Int(getenv("SEED").map { String(cString: $0) } ?? "1") ?? 1)...Self.seeds {
            var schedule = FaultSchedule(seed: UInt64(seed))
            for complaint in schedule.play() { Issue.record("seed \(seed) \(schedule.faults): \(complaint)") }
        }
    }
}

/// What is to come of a run.
struct RunTruth {
    let run: String
    let session: String
    var text = ""
    var message: String?
    var end: String?
    var asked: [String] = []
    var hasCutRows = false
}

struct FaultSchedule {
    var harness: FeedHarness
    private(set) var faults: [String] = []
    private var truths: [RunTruth]
    private let isShared: Bool
    private var answered: Set<String> = []
    /// How many events of each stream have been looked at, and whose run has ended.
    private var scanned = [0, 0]
    private var ended: Set<Int> = []
    private var isRestarted = false
    private var isRefused = false
    private var hasStalled = false
    private let filters: [StreamFilter]

    init(seed: UInt64) {
        // Every fifth has a connection that the engine filters.
        isShared = seed % 5 != 0
        harness = FeedHarness(seed: seed, isShared: isShared)
        truths = [RunTruth(run: "run-a", session: "a"), RunTruth(run: "run-b", session: "b")]
        if !isShared {
            faults.append("filtered")
            truths.removeLast()
            harness.filter = "a"
        }
        let kind = harness.random.next() % 4
        let first = [
            StreamFilter(sessionID: "a", runID: "run-a"), StreamFilter(runID: "run-a"), StreamFilter(sessionID: "a"),
            StreamFilter(),
        ][Int(kind)]
        filters = [
            isShared || kind < 3 ? first : StreamFilter(sessionID: "a"), StreamFilter(sessionID: "b", runID: "run-b"),
        ]
    }

    private func draw(_ limit: Int) -> Int { Int(harness.random.next() % UInt64(limit)) }
    private func chance(_ percent: Int) -> Bool { draw(100) < percent }

    /// What is wrong with what came of it.
    mutating func play() -> [String] {
        harness.connect()
        harness.engine.logDelay = FeedHarness.milliseconds(UInt64(draw(50)))
        for (index, truth) in truths.enumerated() {
            harness.engine.publish(
                "session.run.started",
                session: truth.session,
                run: truth.run,
                now: harness.now
            )
            harness.run(for: 20)
            harness.follow(index + 1, filters[index])
        }
        harness.run(for: 100)
        let breaks = makeFaults()
        for step in 0..<(4 + draw(12)) {
            if breaks.contains(step) { breakSomething() }
            if isRestarted { break }
            advance(chance(75) ? 0 : truths.count - 1)
            harness.run(for: UInt64(draw(400)))
            answerPermissions()
        }
        if !isRestarted { finish() }
        settle()
        return truths.indices.flatMap { check($0) }
    }

    private mutating func makeFaults() -> Set<Int> {
        if chance(25) {
            faults.append("log late")
            harness.engine.logDelay = FeedHarness.milliseconds(UInt64(draw(10_000)))
        }
        if chance(15) {
            faults.append("duplicates")
            harness.doubling = 200
        }
        if chance(15) {
            faults.append("failing reads")
            harness.failingReads = 1 + draw(4)
        }
        if chance(20) {
            faults.append("slow consumer")
            let room = draw(30)
            harness.consumers[1]?.room = room
        }
        if chance(20), isShared { harness.readingSpeed = 3 + draw(40) }
        if chance(15) {
            faults.append("log quicker than the stream")
            harness.engine.logDelay = 0
            harness.engine.rowNanoseconds = 1_000
            if isShared { harness.readingSpeed = 1 }
        }
        return Set((0..<draw(4)).map { _ in draw(10) })
    }

    private mutating func breakSomething() {
        switch draw(7) {
        case 0, 1:
            faults.append("cut at a byte")
            harness.breakAfterBytes = 1 + draw(20_000)
        case 2:
            faults.append("closed")
            harness.disconnect("closed")
        case 3:
            faults.append("stalled")
            hasStalled = true
            harness.isStalled = true
            harness.after(25_000) { if $0.isStalled { $0.disconnect("silence") } }
        case 4:
            faults.append("restarted")
            isRestarted = true
            harness.run(for: UInt64(draw(3_000)))
            harness.restartEngine()
        case 5:
            faults.append("refused on reconnect")
            isRefused = true
            harness.refusals = [
                Failure(.engineUnavailable, "not yet"), Failure(.unauthorized, "no", status: 401),
            ]
            harness.disconnect("closed")
        default:
            faults.append("lagged")
            harness.run(for: isShared ? 0 : 50)
            for _ in 0..<(2_049 + draw(100)) { noise() }
        }
    }

    private mutating func noise() {
        harness.engine.publish("mcp.tools.updated", session: "x", run: "", namesRun: false, now: harness.now)
    }
}

// What the runs do.
extension FaultSchedule {
    private mutating func advance(_ index: Int) {
        switch draw(10) {
        case 0...4: for _ in 0..<(1 + draw(30)) { delta(index, "\(draw(1_000)) \u{e9}\u{1f642} ") }
        // Whether a filtered stream lost a delta nobody can know.
        case 5 where chance(40):
            for number in 0..<(isShared ? 2_049 + draw(1_500) : 1_500) { delta(index, "\(number) ") }
        case 6: tool(index)
        case 7: delta(index, String(repeating: "\(draw(10))long ", count: 900))
        case 8: ask(index)
        default:
            harness.engine.publish(
                "session.status",
                session: truths[index].session,
                run: truths[index].run,
                namesRun: false,
                now: harness.now
            )
        }
    }

    private mutating func delta(_ index: Int, _ text: String) {
        let truth = truths[index]
        truths[index].text += text
        func properties(_ text: String, ids: Bool) -> JSONText {
            JSONWriter.object { writer in
                writer.member("delta", text)
                writer.member(
                    "part",
                    object: { writer in
                        writer.member("messageID", "prompt-\(truth.run)")
                        writer.member("type", "text")
                    }
                )
                if ids {
                    writer.member("runID", truth.run)
                    writer.member("sessionID", truth.session)
                }
            }
        }
        let isLong = text.utf8.count > SimulatedEngine.deltaBytes
        let keepsWhole = chance(70)
        if isLong, !keepsWhole { truths[index].hasCutRows = true }
        let sent = isLong ? String(text.prefix(SimulatedEngine.deltaBytes)) + "...<truncated>" : text
        harness.engine.publish(
            "message.part.updated",
            session: truth.session,
            run: truth.run,
            whole: isLong && keepsWhole ? properties(text, ids: true) : nil,
            now: harness.now
        ) { writer in
            for (name, value) in properties(sent, ids: false).members { writer.member(name, value) }
        }
    }

    /// A result that is often too long for a frame.
    private mutating func tool(_ index: Int) {
        let truth = truths[index]
        let result = String(repeating: "r", count: 1_000 + draw(40_000))
        harness.engine.publish("message.part.updated", session: truth.session, run: truth.run, now: harness.now) {
            $0.member(
                "part",
                object: { writer in
                    writer.member("id", "call")
                    writer.member("messageID", "prompt-\(truth.run)")
                    writer.member("result", result)
                    writer.member("sessionID", truth.session)
                    writer.member("type", "tool")
                }
            )
        }
    }

    private mutating func ask(_ index: Int) {
        let truth = truths[index]
        let id = "\(truth.run)-\(truth.asked.count)"
        truths[index].asked.append(id)
        harness.engine.ask(id, session: truth.session, run: truth.run, now: harness.now)
    }

    /// The program answers what it is asked.
    private mutating func answerPermissions() {
        for (index, truth) in truths.enumerated() {
            let events = harness.consumers[index + 1]?.events ?? []
            let news = events[min(scanned[index], events.count)...]
            scanned[index] = events.count
            for event in news {
                if event.endsRun, event.runID == truth.run { ended.insert(index) }
                guard event.type == "permission.asked", let id = event.properties["requestID"]?.string,
                    truth.asked.contains(id), answered.insert(id).inserted
                else { continue }
                harness.engine.reply(id, session: truth.session, run: truth.run, now: harness.now)
            }
        }
    }

    private mutating func finish() {
        for index in truths.indices {
            let truth = truths[index]
            let message = chance(20) ? "another text" : truth.text
            let isCancelled = chance(25)
            truths[index].end = isCancelled ? "cancelled" : "completed"
            if !isCancelled {
                truths[index].message = message
                harness.engine.publish(
                    "message.part.updated",
                    session: truth.session,
                    run: truth.run,
                    now: harness.now
                ) {
                    $0.member(
                        "part",
                        object: { writer in
                            writer.member("messageID", "answer-\(truth.run)")
                            writer.member("sessionID", truth.session)
                            writer.member("text", message)
                            writer.member("type", "text")
                        }
                    )
                }
            }
            for status in isCancelled ? ["cancelled", "completed"] : ["completed"] {
                harness.engine.publish(
                    "session.run.finished",
                    session: truth.session,
                    run: truth.run,
                    now: harness.now
                ) { $0.member("status", status) }
            }
            if chance(10) {
                faults.append("end lost")
                for _ in 0..<2_100 { noise() }
            }
        }
    }

    private mutating func settle() {
        for _ in 0..<400 where !isOver {
            harness.run(for: 500)
            answerPermissions()
            if harness.consumers[1]?.room != nil { harness.resume(1, room: 20 + draw(2_000)) }
        }
        harness.run(for: 1_000)
    }

    private var isOver: Bool {
        truths.indices.allSatisfy { index in
            harness.consumers[index + 1]?.outcome != nil || filters[index].runID == nil && ended.contains(index)
        }
    }
}

// What is to be true of it.
extension FaultSchedule {
    private func check(_ index: Int) -> [String] {
        guard let consumer = harness.consumers[index + 1] else { return ["no consumer"] }
        let truth = truths[index]
        let seen = Seen(consumer.events, run: truth.run)
        var complaints: [String] = []
        func expect(_ isTrue: Bool, _ what: @autoclosure () -> String) {
            if !isTrue { complaints.append("stream \(index + 1), \(filters[index]): \(what())") }
        }
        if case .failure(let failure)? = consumer.outcome {
            expect(isRefused && failure.status == 401, "ended with \(failure)")
            expect(truth.text.hasPrefix(seen.text) || truth.hasCutRows, "what came before is no beginning of the text")
            return complaints
        }
        expect(filters[index].runID == nil || consumer.outcome != nil, "is not over")
        // A stream of a session that has seen nothing of a run cannot know of it, where the engine filters.
        if !isShared, filters[index].runID == nil, seen.ends.isEmpty, !seen.types.contains("message.part.updated") {
            return []
        }
        expect(seen.ends.count == 1, "ends: \(seen.ends)")
        expect(Set(seen.asked).count == seen.asked.count, "asked twice: \(seen.asked)")
        expect(Set(seen.replied).count == seen.replied.count, "resolved twice: \(seen.replied)")
        let counts = seen.counts
        let isOfEverything = filters[index].isEverything
        expect(isOfEverything || counts.healed <= counts.gaps + counts.truncated, "counts: \(counts)")
        if isRestarted {
            expect(truth.hasCutRows || truth.text.hasPrefix(seen.text), "no beginning of the text")
            expect(
                seen.ends == ["error"] && seen.errorCode == "INTERRUPTED",
                "ends: \(seen.ends) \(seen.errorCode ?? "")"
            )
            return complaints
        }
        expect(seen.ends == [truth.end ?? ""], "ends: \(seen.ends), not \(truth.end ?? "")")
        expect(truth.hasCutRows || seen.text == truth.text, "text \(seen.text.count), not \(truth.text.count)")
        expect(seen.message == truth.message, "message \(seen.message?.count ?? -1), not \(truth.message?.count ?? -1)")
        expect(Set(seen.asked).isSuperset(of: truth.asked), "asked \(seen.asked), not \(truth.asked)")
        if !isOfEverything, !truth.hasCutRows {
            expect(counts.healed == counts.gaps + counts.truncated, "counts: \(counts)")
        }
        return complaints
    }
}

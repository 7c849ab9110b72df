import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

/// What a follower was given, read as a host reads it.
struct Seen {
    var text = ""
    var message: String?
    var ends: [String] = []
    var asked: [String] = []
    var replied: [String] = []
    var counts = ResyncCounts()
    var types: [String] = []
    var errorCode: String?

    init(_ events: [EngineEvent], run: String) {
        for event in events {
            let properties = event.properties
            types.append(event.type)
            switch event.type {
            case "message.part.updated" where event.runID != run: break
            case "message.part.updated"
            where properties.at("part", "type")?.string == "text" && properties["agent"] == nil:
                if let delta = properties["delta"]?.string {
                    text += delta
                } else {
                    message = properties.at("part", "text")?.string
                }
            case "permission.asked": asked.append(properties["requestID"]?.string ?? "")
            case "permission.replied": replied.append(properties["requestID"]?.string ?? "")
            case "session.run.finished" where event.runID == run: ends.append(properties["status"]?.string ?? "")
            case "session.error": errorCode = properties.at("error", "code")?.string
            case "stream.resynced":
                counts.gaps += properties["gaps"]?.integer ?? 0
                counts.duplicates += properties["duplicates"]?.integer ?? 0
                counts.truncated += properties["truncated"]?.integer ?? 0
                counts.healed += properties["healed"]?.integer ?? 0
            default: break
            }
        }
    }
}

@Suite struct EventFeedTests {
    /// A run of so many deltas, all published at once.
    private func play(_ harness: inout FeedHarness, _ run: String, session: String, deltas: Int, ends: Bool = true) {
        let now = harness.now
        harness.engine.publish("session.run.started", session: session, run: run, now: now)
        for number in 0..<deltas { Self.delta(&harness, run, session, "\(number) ") }
        if ends { Self.end(&harness, run, session, (0..<deltas).map { "\($0) " }.joined()) }
    }

    static func delta(_ harness: inout FeedHarness, _ run: String, _ session: String, _ text: String) {
        harness.engine.publish("message.part.updated", session: session, run: run, now: harness.now) { writer in
            writer.member("part", object: { $0.member("type", "text") })
            writer.member("delta", text)
        }
    }

    static func end(_ harness: inout FeedHarness, _ run: String, _ session: String, _ text: String) {
        harness.engine.publish("message.part.updated", session: session, run: run, now: harness.now) { writer in
            writer.member(
                "part",
                object: { writer in
                    writer.member("messageID", "answer-\(run)")
                    writer.member("sessionID", session)
                    writer.member("text", text)
                    writer.member("type", "text")
                }
            )
        }
        harness.engine.publish("session.run.finished", session: session, run: run, now: harness.now) {
            $0.member("status", "completed")
        }
    }

    private func connected(seed: UInt64 = 1) -> FeedHarness {
        var harness = FeedHarness(seed: seed)
        harness.connect()
        return harness
    }

    private func expected(_ deltas: Int) -> String { (0..<deltas).map { "\($0) " }.joined() }

    @Test func aRunThatIsWholeIsHandedOnAsItComes() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 10)
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let consumer = try #require(harness.consumers[1])
        let seen = Seen(consumer.events, run: "r")
        #expect(seen.text == expected(10))
        #expect(seen.message == expected(10))
        #expect(seen.ends == ["completed"])
        #expect(seen.counts.isEmpty)
        #expect(seen.types.prefix(3) == ["server.connected", "engine.lifecycle.ready", "session.run.started"])
    }

    @Test func whatTheBusDropsIsReadFromTheLogAndCountedToTheEvent() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        harness.engine.publish("session.run.started", session: "s", run: "r", now: harness.now)
        harness.run(for: 3_000)
        for number in 0..<6_000 { Self.delta(&harness, "r", "s", "\(number) ") }
        Self.end(&harness, "r", "s", expected(6_000))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(6_000))
        #expect(seen.message == expected(6_000))
        #expect(seen.ends == ["completed"])
        #expect(seen.counts.healed == seen.counts.gaps + seen.counts.truncated)
        #expect((6_002 - 2_048...6_001).contains(Int(seen.counts.healed)))
        #expect(seen.counts.truncated == 1, "the final text is longer than a frame may be")
    }

    @Test func aLossThatIsMetByTheLogIsCountedExactly() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        harness.engine.publish("session.run.started", session: "s", run: "r", now: harness.now)
        harness.run(for: 3_000)
        for number in 0..<2_050 { Self.delta(&harness, "r", "s", "\(number) ") }
        harness.run(for: 30_000)
        Self.delta(&harness, "r", "s", "last")
        harness.run(for: 3_000)
        Self.end(&harness, "r", "s", "whole")
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(2_050) + "last")
        #expect(seen.ends == ["completed"])
        #expect(seen.counts.healed == seen.counts.gaps)
    }

    @Test func aCutFrameConcernsItsRunOnly() throws {
        var harness = connected()
        for (id, session) in [(1, "a"), (2, "b")] {
            harness.follow(id, StreamFilter(sessionID: session, runID: "run-\(session)"))
        }
        for session in ["a", "b"] {
            harness.engine.publish("session.run.started", session: session, run: "run-\(session)", now: harness.now)
        }
        let long = String(repeating: "long ", count: 4_000)
        harness.engine.logDelay = FeedHarness.milliseconds(5_000)
        harness.run(for: 2_000)
        Self.delta(&harness, "run-b", "b", "before ")
        Self.end(&harness, "run-a", "a", long)
        Self.delta(&harness, "run-b", "b", "after")
        harness.run(for: 1_000)
        #expect(
            Seen(try #require(harness.consumers[2]).events, run: "run-b").text == "before after",
            "it does not wait"
        )
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "run-a")
        #expect(seen.message == long)
        #expect(seen.ends == ["completed"])
        #expect(seen.counts == ResyncCounts(gaps: 0, duplicates: 0, truncated: 1, healed: 1))
        Self.end(&harness, "run-b", "b", "x")
        harness.run(for: 60_000) { $0.consumers[2]?.outcome != nil }
        #expect(Seen(try #require(harness.consumers[2]).events, run: "run-b").counts.isEmpty)
    }

    @Test func aLostConnectionIsToldAndHealed() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 5, ends: false)
        harness.run(for: 100)
        harness.disconnect("gone")
        for number in 5..<9 { Self.delta(&harness, "r", "s", "\(number) ") }
        harness.run(for: 5_000)
        Self.delta(&harness, "r", "s", "9 ")
        Self.end(&harness, "r", "s", expected(10))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(10))
        #expect(seen.ends == ["completed"])
        #expect(seen.counts == ResyncCounts(gaps: 4, duplicates: 0, truncated: 0, healed: 4))
        let ofStream = seen.types.filter { $0.hasPrefix("stream.") }
        #expect(ofStream == ["stream.interrupted", "stream.connected", "stream.resynced"])
    }

    @Test func aRunThatEndedWhileNobodyLookedEnds() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 5, ends: false)
        harness.run(for: 100)
        harness.disconnect("gone")
        harness.engine.logDelay = FeedHarness.milliseconds(10_000)
        Self.end(&harness, "r", "s", expected(5))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.message == expected(5))
        #expect(seen.ends == ["completed"])
        #expect(seen.counts == ResyncCounts(gaps: 2, duplicates: 0, truncated: 0, healed: 2))
    }

    @Test func aRunWhoseEngineRestartedIsInterrupted() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 5, ends: false)
        harness.engine.ask("p", session: "s", run: "r", now: harness.now)
        harness.run(for: 5_000)
        harness.restartEngine()
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(5))
        #expect(seen.ends == ["error"])
        #expect(seen.errorCode == "INTERRUPTED")
        #expect(seen.asked == ["p"])
        #expect(seen.replied == ["p"], "a request that is gone is resolved")
    }

    @Test func aRunThatAnAnswerNamedIsInterruptedThoughNothingCameOfIt() throws {
        var harness = connected()
        harness.feed.await("r", session: "s", isNew: true)
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        harness.restartEngine()
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let consumer = try #require(harness.consumers[1])
        #expect(Seen(consumer.events, run: "r").errorCode == "INTERRUPTED")
        #expect(throws: Never.self) { try consumer.outcome?.get() }
    }

    @Test func newNumbersSayAtOnceThatTheRunIsGone() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 50, ends: false)
        harness.run(for: 5_000)
        harness.restartEngine()
        harness.after(3_000) {
            $0.engine.publish("session.created", session: "t", run: "", namesRun: false, now: $0.now)
        }
        let began = harness.now
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        #expect(harness.now - began < FeedHarness.milliseconds(6_000))
        #expect(Seen(try #require(harness.consumers[1]).events, run: "r").ends == ["error"])
    }

    @Test func whatAnotherProcessPublishesIsNoneOfTheRuns() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s"))
        play(&harness, "r", session: "s", deltas: 50, ends: false)
        harness.run(for: 5_000)
        harness.restartEngine()
        harness.after(3_000) {
            $0.engine.publish("session.status", session: "s", run: "", namesRun: false, now: $0.now)
        }
        harness.run(for: 60_000)
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(50))
        #expect(seen.ends == ["error"])
    }

    @Test func aServerThatFiltersByNoRunGivesARunsStreamNoOtherRuns() throws {
        var harness = FeedHarness(seed: 1, isShared: false)
        harness.filter = "s"
        harness.connect()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "other", session: "s", deltas: 3)
        play(&harness, "r", session: "s", deltas: 5)
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let events = try #require(harness.consumers[1]).events
        #expect(Set(events.compactMap(\.runID)) == ["r"])
        #expect(Seen(events, run: "r").ends == ["completed"])
    }

    @Test func anEndThatAFilteredStreamLostIsFound() throws {
        var harness = FeedHarness(seed: 1, isShared: false)
        harness.filter = "s"
        harness.connect()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 5, ends: false)
        harness.run(for: 3_000)
        Self.end(&harness, "r", "s", expected(5))
        for _ in 0..<2_100 {
            harness.engine.publish("mcp.tools.updated", session: "x", run: "", namesRun: false, now: harness.now)
        }
        harness.engine.publish("session.status", session: "s", run: "r", namesRun: false, now: harness.now)
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(5))
        #expect(seen.message == expected(5))
        #expect(seen.ends == ["completed"])
    }

    @Test(arguments: [401, 403, 404]) func aRefusalEndsTheStream(status: Int) throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s"))
        harness.refusals = [Failure(.engineUnavailable, "not yet"), Failure(.unauthorized, "no", status: status)]
        harness.disconnect("gone")
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let consumer = try #require(harness.consumers[1])
        #expect(throws: Failure(.unauthorized, "no", status: status)) { try #require(consumer.outcome).get() }
        #expect(consumer.events.count { $0.type == "stream.interrupted" } == 2)
    }

    @Test func permissionsOvertakeWhatIsBeingRead() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        harness.engine.logDelay = FeedHarness.milliseconds(10_000)
        play(&harness, "r", session: "s", deltas: 3, ends: false)
        harness.run(for: 100)
        harness.disconnect("gone")
        harness.engine.ask("away", session: "s", run: "r", now: harness.now)
        harness.run(for: 2_000)
        #expect(Seen(try #require(harness.consumers[1]).events, run: "r").asked == ["away"])
        harness.engine.ask("live", session: "s", run: "r", now: harness.now)
        harness.run(for: 100)
        #expect(Seen(try #require(harness.consumers[1]).events, run: "r").asked == ["away", "live"])
        for id in ["away", "live"] { harness.engine.reply(id, session: "s", run: "r", now: harness.now) }
        Self.end(&harness, "r", "s", expected(3))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.asked == ["away", "live"])
        #expect(seen.replied == ["away", "live"])
        #expect(seen.ends == ["completed"])
    }

    @Test func aStreamThatComesAfterItsRunReadsTheLog() throws {
        var harness = FeedHarness(seed: 3)
        play(&harness, "r", session: "s", deltas: 1_500)
        harness.run(for: 30_000)
        harness.connect()
        harness.follow(1, StreamFilter(runID: "r"))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(1_500))
        #expect(seen.ends == ["completed"])
        #expect(seen.counts.isEmpty, "nothing was lost")
    }

    @Test func aRunThatNobodyKnowsIsNotFound() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "none"))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        #expect(throws: Failure(.notFound, "there is no such run")) {
            try #require(harness.consumers[1]?.outcome).get()
        }
    }

    @Test func aSlowConsumerGoesOnFromTheLogAndHoldsUpNobody() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        harness.follow(2, StreamFilter(sessionID: "s", runID: "r"))
        harness.consumers[1]?.room = 50
        let text = String(repeating: "x", count: 500)
        harness.engine.publish("session.run.started", session: "s", run: "r", now: harness.now)
        harness.run(for: 10)
        for _ in 0..<100 {
            for _ in 0..<100 { Self.delta(&harness, "r", "s", text) }
            harness.run(for: 200)
        }
        Self.end(&harness, "r", "s", "end")
        harness.run(for: 1_000)
        #expect(harness.consumers[2]?.outcome != nil, "the other has ended")
        #expect(Seen(try #require(harness.consumers[2]).events, run: "r").counts.isEmpty)
        let slow = try #require(harness.consumers[1])
        #expect(slow.events.count == 52)
        #expect(slow.mostPending <= Follower.pendingLimit + 64 * 1024)
        for _ in 0..<400 where harness.consumers[1]?.outcome == nil {
            harness.resume(1, room: 40)
            harness.run(for: 100)
        }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == String(repeating: text, count: 10_000))
        #expect(seen.ends == ["completed"])
        #expect(seen.counts.healed == seen.counts.gaps)
        #expect(seen.counts.healed > 0)
    }

    @Test func whatTheLogGaveFirstIsNotGivenAgain() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        play(&harness, "r", session: "s", deltas: 5, ends: false)
        harness.run(for: 5_000)
        harness.engine.rowNanoseconds = 1_000
        harness.readingSpeed = 1
        harness.disconnect("gone")
        harness.run(for: 2_000)
        for number in 5..<200 { Self.delta(&harness, "r", "s", "\(number) ") }
        Self.end(&harness, "r", "s", expected(200))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(200))
        #expect(seen.ends == ["completed"])
    }

    @Test func aThousandSlowConsumersTakeBoundedMemory() {
        var harness = connected()
        for id in 1...1_000 {
            harness.follow(id, StreamFilter(sessionID: "s\(id % 10)", runID: "r\(id % 10)"))
            harness.consumers[id]?.room = 1
        }
        for number in 0..<10 {
            harness.engine.publish("session.run.started", session: "s\(number)", run: "r\(number)", now: harness.now)
        }
        harness.run(for: 2_000)
        let text = String(repeating: "x", count: 3_500)
        var most = 0
        for _ in 0..<40 {
            for number in 0..<10 { Self.delta(&harness, "r\(number)", "s\(number)", text) }
            harness.run(for: 20)
            most = max(most, harness.feed.pendingSize)
        }
        #expect(most > EventFeed.totalLimit / 2)
        #expect(most <= EventFeed.totalLimit + 8 * 1024 * 1024)
    }

    @Test func duplicatesAreDroppedAndCounted() throws {
        var harness = connected()
        harness.doubling = 1_000
        harness.follow(1, StreamFilter(sessionID: "s", runID: "r"))
        harness.engine.publish("session.run.started", session: "s", run: "r", now: harness.now)
        harness.run(for: 3_000)
        for number in 0..<20 { Self.delta(&harness, "r", "s", "\(number) ") }
        Self.end(&harness, "r", "s", "end")
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = Seen(try #require(harness.consumers[1]).events, run: "r")
        #expect(seen.text == expected(20))
        #expect(seen.counts == ResyncCounts(gaps: 0, duplicates: 22, truncated: 0, healed: 0), "all but the end's own")
    }

    @Test func ofEverythingWhatNoLogHoldsIsCounted() throws {
        var harness = connected()
        harness.follow(1, StreamFilter())
        harness.run(for: 10)
        harness.engine.publish("mcp.tools.updated", session: "", run: "", namesRun: false, now: harness.now)
        harness.run(for: 10)
        for _ in 0..<2_148 {
            harness.engine.publish("mcp.tools.updated", session: "", run: "", namesRun: false, now: harness.now)
        }
        harness.run(for: 60_000)
        let seen = Seen(try #require(harness.consumers[1]).events, run: "")
        #expect(seen.types.count { $0 == "mcp.tools.updated" } == 2_049)
        #expect(seen.counts == ResyncCounts(gaps: 100, duplicates: 0, truncated: 0, healed: 0))
    }

    @Test func aRunHasOneEndForAStreamOfItsSession() throws {
        var harness = connected()
        harness.follow(1, StreamFilter(sessionID: "s"))
        play(&harness, "r", session: "s", deltas: 1)
        harness.engine.publish("session.run.finished", session: "s", run: "r", now: harness.now) {
            $0.member("status", "cancelled")
        }
        harness.run(for: 1_000)
        #expect(Seen(try #require(harness.consumers[1]).events, run: "r").ends == ["completed"])
    }
}

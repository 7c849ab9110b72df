import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

/// Filtered streams in virtual time, whose bus drops what nothing on the stream tells of.
@Suite struct RunLaneComparingTests {
    private func filtered(_ run: String? = "r") -> FeedHarness {
        var harness = FeedHarness(seed: 1, isShared: false)
        harness.filter = "s"
        harness.connect()
        harness.follow(1, StreamFilter(sessionID: "s", runID: run))
        harness.engine.publish("session.run.started", session: "s", run: "r", now: harness.now)
        harness.run(for: 50)
        return harness
    }

    private func deltas(_ harness: inout FeedHarness, _ numbers: Range<Int>) {
        for number in numbers { EventFeedTests.delta(&harness, "r", "s", "\(number) ") }
    }

    private func text(_ numbers: Range<Int>) -> String { numbers.map { "\($0) " }.joined() }

    /// What is published so far is lost but for the newest 40 of it.
    private func flood(_ harness: inout FeedHarness) {
        for _ in 0..<2_008 {
            harness.engine.publish("mcp.tools.updated", session: "x", run: "", namesRun: false, now: harness.now)
        }
    }

    private func seen(_ harness: FeedHarness) throws -> Seen {
        Seen(try #require(harness.consumers[1]).events, run: "r")
    }

    @Test(arguments: [0, 5_000] as [UInt64]) func piecesThatTheBusDroppedAreCounted(logDelay: UInt64) throws {
        var harness = filtered()
        harness.engine.logDelay = FeedHarness.milliseconds(logDelay)
        deltas(&harness, 0..<100)
        flood(&harness)
        harness.run(for: 100)
        deltas(&harness, 100..<120)
        EventFeedTests.end(&harness, "r", "s", text(0..<120))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = try seen(harness)
        #expect(seen.text == text(60..<120))
        #expect(seen.message == text(0..<120))
        #expect(seen.counts == ResyncCounts(gaps: 60))
        #expect(seen.ends == ["completed"])
        #expect(seen.types.last == "session.run.finished")
    }

    @Test func theEndOfAToolCallThatTheBusDroppedComesLate() throws {
        var harness = filtered()
        let now = harness.now
        harness.engine.publish("message.part.updated", session: "s", run: "r", now: now) { writer in
            writer.member(
                "part",
                object: { part in
                    part.member("type", "tool")
                    part.member("state", "completed")
                }
            )
        }
        deltas(&harness, 0..<40)
        flood(&harness)
        harness.run(for: 100)
        EventFeedTests.end(&harness, "r", "s", text(0..<40))
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        let seen = try seen(harness)
        #expect(seen.text == text(0..<40))
        #expect(seen.counts == ResyncCounts(gaps: 1, healed: 1))
        let parts = try #require(harness.consumers[1]).events.compactMap { $0.properties.at("part", "state")?.string }
        #expect(parts == ["completed"])
        #expect(seen.ends == ["completed"])
    }

    @Test func aRunOfWhichAllCameIsNotHeldUpByALateLog() throws {
        var harness = filtered()
        harness.engine.logDelay = FeedHarness.milliseconds(20_000)
        deltas(&harness, 0..<20)
        EventFeedTests.end(&harness, "r", "s", text(0..<20))
        let before = harness.now
        harness.run(for: 60_000) { $0.consumers[1]?.outcome != nil }
        #expect(harness.now - before < FeedHarness.milliseconds(3_000))
        let seen = try seen(harness)
        #expect(seen.text == text(0..<20))
        #expect(seen.counts.isEmpty && seen.ends == ["completed"])
    }

    @Test func anEndIsNotHeldBackOverALostConnection() throws {
        var harness = filtered()
        harness.engine.logDelay = FeedHarness.milliseconds(20_000)
        deltas(&harness, 0..<5)
        EventFeedTests.end(&harness, "r", "s", "something else")
        harness.run(for: 200)
        #expect(try seen(harness).ends == [], "the pieces do not make the text")
        harness.disconnect("gone")
        #expect(try seen(harness).ends == ["completed"])
    }

    @Test func eachRunOfASessionIsCompared() throws {
        var harness = filtered(nil)
        deltas(&harness, 0..<100)
        flood(&harness)
        harness.run(for: 100)
        EventFeedTests.end(&harness, "r", "s", text(0..<100))
        harness.run(for: 10_000)
        #expect(try seen(harness).counts == ResyncCounts(gaps: 60))
        harness.engine.publish("session.run.started", session: "s", run: "q", now: harness.now)
        EventFeedTests.delta(&harness, "q", "s", "Hi")
        EventFeedTests.end(&harness, "q", "s", "Hi")
        harness.run(for: 10_000)
        let other = Seen(try #require(harness.consumers[1]).events, run: "q")
        #expect(other.text == "Hi" && other.ends == ["completed"])
        #expect(other.counts == ResyncCounts(gaps: 60), "nothing more is told")
    }

    @Test func whatAConsumerIsTooSlowForComesAgainAndIsNoLoss() throws {
        var harness = filtered()
        harness.resume(1, room: 1)
        for _ in 0..<3 {
            deltas(&harness, 0..<1_500)
            harness.run(for: 2_000)
        }
        EventFeedTests.end(&harness, "r", "s", text(0..<1_500) + text(0..<1_500) + text(0..<1_500))
        harness.run(for: 2_000)
        harness.resume(1, room: nil)
        harness.run(for: 120_000) { $0.consumers[1]?.outcome != nil }
        let seen = try seen(harness)
        #expect(seen.text == text(0..<1_500) + text(0..<1_500) + text(0..<1_500))
        #expect(seen.counts.gaps + seen.counts.truncated == seen.counts.healed)
        #expect(seen.ends == ["completed"])
    }
}

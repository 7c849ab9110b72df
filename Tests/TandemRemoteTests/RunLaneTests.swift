import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct RunLaneTests {
    private static let unreadable = Failure(.protocol, "the engine's answer is no log of a run")
    private static let second: UInt64 = 1_000_000_000

    private func event(_ type: String, seq: Int64) -> EngineEvent {
        let envelope = EngineEvent.Envelope(
            eventID: "e\(seq)",
            seq: seq,
            occurredAtMilliseconds: 0,
            sessionID: "s",
            runID: "r"
        )
        return EngineEvent(type: type, properties: .emptyObject, envelope: envelope)
    }

    /// A run that has lost something after its beginning; the engine says that it is over.
    private func losing(_ held: [EngineEvent]) -> RunLane {
        var lane = RunLane("r", sessionID: "s")
        _ = lane.take(event("session.run.started", seq: 3), now: 0, keeps: true)
        lane.lose(now: 0)
        lane.status(isActive: false, now: 0)
        for event in held { _ = lane.take(event, now: 0, keeps: true) }
        _ = lane.beginReading(now: 0)
        return lane
    }

    @Test func aRunWhoseEndCameEndsWithoutItsLog() {
        let rest = [event("message.part.updated", seq: 6), event("session.run.finished", seq: 7)]
        var lane = losing(rest)
        let given = lane.readingFailed(Self.unreadable, isLasting: true, now: 1)
        #expect(given == rest, "what a server without a log has lost nobody knows")
        #expect(lane.phase == .over)
        #expect(lane.failure == nil)
    }

    @Test func whatWasHeldBeforeAnotherLossIsNotLostWithTheLog() {
        let rest = [event("message.part.updated", seq: 5), event("session.run.finished", seq: 7)]
        var lane = losing([rest[0]])
        lane.lose(now: 0)
        _ = lane.take(rest[1], now: 0, keeps: true)
        lane.lose(now: 0)
        let given = lane.readingFailed(Self.unreadable, isLasting: true, now: 1)
        #expect(given.filter { $0.envelope != nil } == rest)
    }

    @Test func whatWasDroppedAfterItOvertookComesAgain() {
        var lane = losing([])
        let asked = event("permission.asked", seq: 6)
        #expect(lane.take(asked, now: 0, keeps: true) == [asked])
        lane.rewind(before: 6, ["e6"], now: 1)
        _ = lane.beginReading(now: 1)
        let page = LogPage(events: [4, 5].map { event("session.status", seq: $0) } + [asked], isFull: false)
        #expect(lane.take(page, now: 1).filter { $0.envelope != nil }.compactMap(\.seq) == [4, 5, 6])
    }

    @Test(arguments: [true, false]) func aRunGoesOnInAnotherProcessOnlyIfThatSaysSo(goesOn: Bool) {
        var lane = RunLane("r", sessionID: "s")
        _ = lane.take(event("session.run.started", seq: 50), now: 0, keeps: true)
        lane.reconnected(now: 1)
        lane.engineRestarted(now: 1)
        lane.status(isActive: goesOn, now: 1)
        let given = lane.take(event("session.status", seq: 2), now: 1, keeps: true)
        #expect(given.compactMap(\.seq) == (goesOn ? [2] : []))
        #expect(lane.phase == (goesOn ? .live : .healing))
    }

    @Test func aBreakBehindAnotherIsReadToo() {
        var lane = RunLane("r", sessionID: "s")
        _ = lane.take(event("session.run.started", seq: 1), now: 0, keeps: true)
        lane.lose(now: 0)
        _ = lane.take(event("message.part.updated", seq: 3), now: 0, keeps: true)
        lane.lose(now: 0)
        _ = lane.take(event("message.part.updated", seq: 5), now: 0, keeps: true)
        lane.lose(now: 0)
        var given: [Int64] = []
        for rows in [2...3, 4...5, 6...7] as [ClosedRange<Int64>] {
            let after = lane.beginReading(now: 0)
            let events = rows.map { event($0 == 7 ? "session.run.finished" : "message.part.updated", seq: $0) }
            given += lane.take(LogPage(events: events.filter { ($0.seq ?? 0) > after }, isFull: false), now: 0)
                .compactMap(\.seq)
        }
        #expect(given == [2, 3, 4, 5, 6, 7])
        #expect(lane.phase == .over)
    }

    @Test func anAnswerThatIsNoLogLeavesTimeForTheEnd() {
        var lane = losing([event("message.part.updated", seq: 6)])
        #expect(lane.readingFailed(Self.unreadable, isLasting: true, now: 1).compactMap(\.seq) == [6])
        #expect(lane.phase == .healing)
        let end = event("session.run.finished", seq: 7)
        #expect(lane.take(end, now: 2, keeps: true) == [end])
        #expect(lane.failure == nil)
    }

    @Test func whatComesKeepsARunWithoutALogAlive() {
        var lane = losing([])
        _ = lane.readingFailed(Self.unreadable, isLasting: true, now: 1)
        for second in [20, 40, 60] as [UInt64] {
            let next = event("message.part.updated", seq: Int64(second))
            #expect(lane.take(next, now: second * Self.second, keeps: true) == [next])
            _ = lane.beginReading(now: second * Self.second)
            _ = lane.readingFailed(Self.unreadable, isLasting: true, now: second * Self.second)
        }
        #expect(lane.phase == .healing)
    }

    @Test func theLogOfAnotherRunIsNotBelieved() {
        let held = event("message.part.updated", seq: 6)
        var lane = losing([held])
        let foreign = EngineEvent.Envelope(
            eventID: "foreign",
            seq: 6,
            occurredAtMilliseconds: 0,
            sessionID: "s",
            runID: "r"
        )
        let rows = [
            event("session.status", seq: 5),
            EngineEvent(type: "session.status", properties: .emptyObject, envelope: foreign),
        ]
        #expect(lane.take(LogPage(events: rows, isFull: false), now: 1) == [held])
    }

    @Test func aCutDeltaThatNoLogGivesWholeIsHandedOnAsItCame() {
        var lane = losing([])
        let text = String(repeating: "x", count: 4_000) + "...<truncated>"
        let cut = EngineEvent(
            type: "message.part.updated",
            properties: JSONWriter.object { $0.member("delta", text) },
            envelope: event("", seq: 5).envelope
        )
        let next = event("message.part.updated", seq: 6)
        #expect(lane.take(cut, now: 0, keeps: true).isEmpty)
        #expect(lane.take(next, now: 0, keeps: true).isEmpty)
        #expect(lane.readingFailed(Self.unreadable, isLasting: true, now: 1) == [cut, next])
    }

    @Test func aLogThatHasGivenNothingDoesNotCostWhatCameLive() {
        var lane = losing([])
        let text = String(repeating: "x", count: 10_000)
        let many = (6..<56).map { seq in
            EngineEvent(
                type: "message.part.updated",
                properties: JSONWriter.object { $0.member("delta", text) },
                envelope: event("", seq: Int64(seq)).envelope
            )
        }
        for event in many { #expect(lane.take(event, now: 0, keeps: true).isEmpty) }
        #expect(lane.readingFailed(Self.unreadable, isLasting: true, now: 1) == many)
    }

    @Test func numbersThatMeanNothingHoldNothing() {
        var lane = RunLane("r", sessionID: "s")
        _ = lane.take(event("session.run.started", seq: 3), now: 0, keeps: true)
        lane.lose(now: 0)
        let held = event("message.part.updated", seq: 6)
        _ = lane.take(held, now: 0, keeps: true)
        #expect(lane.mistrust(now: 1) == [held])
        #expect(lane.phase == .live)
        let again = event("message.part.updated", seq: 5)
        #expect(lane.take(again, now: 1, keeps: true) == [again])
    }

    @Test func itIsNotWaitedForForEver() {
        var lane = losing([])
        #expect(lane.readingFailed(Self.unreadable, isLasting: true, now: 31 * Self.second).isEmpty)
        #expect(lane.phase == .over)
        #expect(lane.failure == Self.unreadable)
    }

    @Test func aRefusalOfTheLogEndsTheRunAtOnce() {
        var lane = losing([])
        let refusal = Failure(.notFound, "no such run", status: 404)
        #expect(lane.readingFailed(refusal, isLasting: true, now: 1).isEmpty)
        #expect(lane.failure == refusal)
    }

    @Test func anotherEngineInterruptsOnlyARunWhoseEndHasNotCome() {
        for (held, ends) in [
            ([event("session.run.finished", seq: 7)], ["session.run.finished"]), ([], ["session.error"]),
        ] {
            var lane = losing(held)
            lane.engineRestarted(now: 1)
            lane.status(isActive: false, now: 1)
            _ = lane.beginReading(now: 0)
            var given = held.flatMap { lane.take($0, now: 1, keeps: true) }
            given += lane.take(LogPage(events: [], isFull: false), now: 2)
            #expect(given.map(\.type).first { $0 != "stream.resynced" } == ends.first)
        }
    }
}

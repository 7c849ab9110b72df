import TandemContract
import Testing

@testable import TandemRemote

@Suite struct SequenceCheckTests {
    private func envelope(_ seq: Int64, id: String? = nil, run: String? = nil) -> EngineEvent.Envelope {
        .init(eventID: id ?? "event-\(seq)", seq: seq, occurredAtMilliseconds: 0, sessionID: nil, runID: run)
    }

    private func findings(_ check: inout SequenceCheck, _ seqs: [Int64]) -> [SequenceCheck.Finding] {
        seqs.map { check.note(envelope($0)) }
    }

    @Test func numbersThatFollowAreNext() {
        var check = SequenceCheck(findsGaps: true)
        #expect(findings(&check, [184, 185, 186]) == [.next, .next, .next])
    }

    @Test func missingNumbersAreAGap() {
        var check = SequenceCheck(findsGaps: true)
        #expect(findings(&check, [1, 5, 6]) == [.next, .gap(2...4, lost: 3), .next])
    }

    @Test func cutFramesAreNotLost() {
        var check = SequenceCheck(findsGaps: true)
        _ = check.note(envelope(1))
        check.cut()
        #expect(check.note(envelope(3)) == .gap(2...2, lost: 0))
        check.cut()
        #expect(check.note(envelope(6)) == .gap(4...5, lost: 1))
        #expect(check.note(envelope(8)) == .gap(7...7, lost: 1), "a cut frame is met once")
    }

    @Test func filteredStreamsHaveGapsAllTheTime() {
        var check = SequenceCheck(findsGaps: false)
        #expect(findings(&check, [1, 50, 51]) == [.next, .next, .next])
    }

    @Test func theSameEventAgainIsADuplicate() {
        var check = SequenceCheck(findsGaps: true)
        #expect(findings(&check, [1, 2, 2, 1, 3]) == [.next, .next, .duplicate, .duplicate, .next])
        #expect(check.note(envelope(3, run: "another")) == .meaningless, "of another run it is another event")
    }

    @Test func lowerNumbersAfterAReconnectAreAnotherProcess() {
        var check = SequenceCheck(findsGaps: true)
        _ = findings(&check, [100, 101])
        check.reconnect()
        #expect(check.note(envelope(101)) == .duplicate)
        #expect(check.note(envelope(1, id: "new")) == .restarted)
        #expect(check.note(envelope(2, id: "newer")) == .next)
    }

    @Test func aLateEventOfTheSameConnectionIsNoRestart() {
        var check = SequenceCheck(findsGaps: true)
        #expect(findings(&check, [1, 3, 2, 4]) == [.next, .gap(2...2, lost: 1), .next, .next])
    }

    @Test func numbersThatBeginAnewOnOneConnectionProveNothing() {
        var check = SequenceCheck(findsGaps: true)
        #expect(findings(&check, [3, 5]) == [.next, .gap(4...4, lost: 1)])
        for seq in 6..<20 { _ = check.note(envelope(Int64(seq))) }
        #expect(check.note(envelope(3, run: "next")) == .meaningless)
        #expect(check.note(envelope(30)) == .next)
        check.reconnect()
        #expect(check.note(envelope(1)) == .next)
    }

    @Test func aNumberIsGivenOnceByAProcess() {
        var check = SequenceCheck(findsGaps: true)
        _ = findings(&check, [3, 4, 5])
        #expect(check.note(envelope(4, id: "another")) == .meaningless)
    }

    @Test func anIdentifierIsNotGivenAgainByAnotherProcess() {
        var check = SequenceCheck(findsGaps: true)
        _ = [3, 4].map { check.note(envelope($0, run: "r")) }
        check.reconnect()
        #expect(check.note(envelope(3, run: "another")) == .meaningless)
    }

    @Test func numbersInAnotherOrderStillMeanSomething() {
        var check = SequenceCheck(findsGaps: true)
        #expect(!findings(&check, [10, 8, 9, 12, 11, 5, 13]).contains(.meaningless))
    }

    @Test func whatWasMissedBetweenConnectionsIsCounted() {
        var check = SequenceCheck(findsGaps: true)
        _ = findings(&check, [10])
        check.reconnect()
        #expect(check.note(envelope(21)) == .gap(11...20, lost: 10))
    }

    @Test(arguments: [Int64.min, -1, 0, .max]) func noNumberIsTooMuch(seq: Int64) {
        var check = SequenceCheck(findsGaps: true)
        _ = check.note(envelope(seq))
        _ = check.note(envelope(.max, id: "a"))
        _ = check.note(envelope(.min, id: "b"))
        _ = check.note(envelope(.max - 1, id: "c"))
        #expect(check.note(envelope(.max, id: "a")) == .next, "such numbers mean nothing")
    }
}

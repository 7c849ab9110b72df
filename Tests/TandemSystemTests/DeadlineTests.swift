import TandemSystem
import Testing

@Suite struct DeadlineTests {
    // The last but one fits into nanoseconds, but not onto a clock that has begun to run.
    @Test(arguments: [(-1, nil), (.min, nil), (0, 0), (18_446_744_073_709, nil), (.max, nil)] as [(Int64, Int64?)])
    func edgesMeanNeverOrNow(milliseconds: Int64, left: Int64?) {
        #expect(Deadline(afterMilliseconds: milliseconds).millisecondsLeft == left)
    }

    @Test func timeLeftIsRoundedUp() throws {
        let left = try #require(Deadline(afterMilliseconds: 60_000).millisecondsLeft)
        #expect((59_000...60_000).contains(left))
        #expect(Deadline(nanoseconds: Deadline.now + 400_000_000).millisecondsLeft ?? 0 > 0)
    }

    @Test func passedIsPastAndNeverIsNot() {
        #expect(Deadline.passed.hasPassed)
        #expect(!Deadline.never.hasPassed)
        #expect(!Deadline(afterMilliseconds: 60_000).hasPassed)
    }
}

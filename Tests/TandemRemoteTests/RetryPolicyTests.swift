import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct RetryPolicyTests {
    private let policy = RetryPolicy(retries: 2, isRepeatable: true)

    private func failure(_ name: FailureName, afterMilliseconds: Int64? = nil, isRetryable: Bool? = nil) -> Failure {
        Failure(
            name,
            "x",
            isRetryable: isRetryable,
            detail: afterMilliseconds.map { value in JSONWriter.object { $0.member("retry_after_ms", value) } }
        )
    }

    private static let delays: [(Int64, UInt64, Int64)] = [(1, 0, 250), (1, 250, 500), (2, 0, 500), (2, 500, 1_000)]

    @Test(arguments: delays) func delaysDoubleAndHalfOfThemIsChance(attempt: Int64, random: UInt64, delay: Int64) {
        let decision = policy.decision(
            failure(.engineUnavailable),
            attempt: attempt,
            millisecondsLeft: nil,
            random: random
        )
        #expect(decision == .wait(milliseconds: delay))
    }

    @Test func noDelayIsLongerThanEightSeconds() {
        let patient = RetryPolicy(retries: 60, isRepeatable: true)
        let decision = patient.decision(failure(.engineUnavailable), attempt: 50, millisecondsLeft: nil, random: 4_000)
        #expect(decision == .wait(milliseconds: 8_000))
    }

    private static let final: [(FailureName, Int64)] = [
        (.notFound, 1), (.timeout, 1), (.tls, 1), (.protocol, 1), (.limit, 1), (.runConflict, 1), (.engineError, 1),
        (.engineUnavailable, 3), (.rateLimited, 3),
    ]

    @Test(arguments: final) func theseAreNotTriedAgain(name: FailureName, attempt: Int64) {
        #expect(policy.decision(failure(name), attempt: attempt, millisecondsLeft: nil, random: 0) == .giveUp)
    }

    @Test func whatMayNotBeRepeatedIsSentOnce() {
        let once = RetryPolicy(retries: 2, isRepeatable: false)
        #expect(once.decision(failure(.engineUnavailable), attempt: 1, millisecondsLeft: nil, random: 0) == .giveUp)
    }

    @Test func anEngineThatStartsIsWaitedForWithoutCounting() {
        let once = RetryPolicy(retries: 2, isRepeatable: false)
        let decision = once.decision(failure(.engineStarting), attempt: 9, millisecondsLeft: 20_000, random: 0)
        #expect(decision == .wait(milliseconds: 4_000))
    }

    @Test func withoutRetriesNothingIsWaitedFor() {
        let never = RetryPolicy(retries: 0, isRepeatable: true)
        #expect(never.decision(failure(.engineStarting), attempt: 1, millisecondsLeft: nil, random: 0) == .giveUp)
    }

    private static let asked: [(Int64, Int64?, Bool)] = [
        (3_000, 3_001, true), (3_000, 3_000, false), (3_000, nil, true),
    ]

    @Test(arguments: asked)
    func askedDelayIsKeptWhereTimeAllows(asked: Int64, left: Int64?, waits: Bool) {
        let failure = failure(.rateLimited, afterMilliseconds: asked)
        let decision = policy.decision(failure, attempt: 1, millisecondsLeft: left, random: 0)
        #expect(decision == (waits ? .wait(milliseconds: asked) : .giveUp))
    }

    @Test func theEnginesOwnWordOnRetryingCounts() {
        let failure = failure(.engineUnavailable, isRetryable: false)
        #expect(policy.decision(failure, attempt: 1, millisecondsLeft: nil, random: 0) == .giveUp)
    }
}

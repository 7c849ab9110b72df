import TandemContract
import Testing

@testable import TandemRemote

@Suite struct FollowerTests {
    /// What a stream of everything is told to have lost.
    private func gaps(_ follower: Follower) -> [Int64?] {
        follower.pending.filter { $0.type == "stream.resynced" }.map { $0.properties["gaps"]?.integer }
    }

    private func follower() -> Follower {
        var follower = Follower(StreamFilter(sessionID: nil, runID: nil))
        follower.open(with: [])
        return follower
    }

    @Test func numbersThatDidNotComeAreCounted() {
        var follower = follower()
        follower.lose(3...5, lost: 3, now: 1)
        #expect(gaps(follower) == [3])
    }

    @Test func anyNumbersMayBeMissing() {
        var follower = follower()
        follower.lose(.min + 1 ... .max - 1, lost: .max, now: 1)
        #expect(gaps(follower) == [.max])
    }

    @Test func anyNumbersMayBeMissingWhileARunIsHealed() throws {
        var follower = follower()
        follower.begin("r", with: nil, round: 0, now: 1)
        follower.lose(.min + 1 ... .max - 1, lost: .max, now: 1)
        follower.lose(.min + 1 ... .max - 1, lost: .max, now: 1)
        let gone = Failure(.protocol, "no log")
        follower.readingFailed(gone, isLasting: true, of: "r", now: 1)
        #expect(gaps(follower) == [.max])
    }
}

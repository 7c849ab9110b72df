import Testing

@testable import TandemRemote

@Suite struct ReadingTimeTests {
    private static let millisecond: UInt64 = 1_000_000

    private func later(_ time: inout ReadingTime) -> UInt64? {
        time.later(0)
        return time.at.map { $0 / Self.millisecond }
    }

    @Test func pausesDoubleUpToASecond() {
        var time = ReadingTime()
        #expect(time.at == nil)
        let pauses = (0..<6).map { _ in later(&time) }
        #expect(pauses == [100, 200, 400, 800, 1_000, 1_000])
        time.soon(7)
        #expect(time.at == 7)
        #expect(later(&time) == 100)
        time.reset()
        #expect(later(&time) == 100)
    }

    @Test func whatIsBeingReadIsNotReadAgainAtOnce() {
        var time = ReadingTime()
        _ = (later(&time), later(&time))
        time.at = nil
        time.hasten(5)
        #expect(time.at == nil)
        #expect(later(&time) == 100)
        time.hasten(5)
        #expect(time.at == 5)
    }

    @Test func theEndOfTimeIsNoTrap() {
        var time = ReadingTime()
        time.later(.max)
        #expect(time.at != nil)
    }
}

import TandemSystem
import Testing

@Suite struct ClockTests {
    @Test func countingClockMovesByOneEachTime() {
        let clock = CountingClock(startingAt: 41)
        #expect([clock.milliseconds, clock.milliseconds, clock.milliseconds] == [42, 43, 44])
    }

    @Test func systemClockIsInThisCentury() {
        #expect(SystemClock().milliseconds > 1_700_000_000_000)
        #expect(SystemClock().milliseconds < 4_200_000_000_000)
    }
}

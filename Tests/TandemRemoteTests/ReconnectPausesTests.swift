import Testing

@testable import TandemRemote

@Suite struct ReconnectPausesTests {
    @Test func pausesDoubleAndHalfOfThemIsChance() {
        var pauses = ReconnectPauses()
        #expect(
            (0..<8).map { _ in pauses.next(base: nil, random: 0) } == [
                250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
            ]
        )
        #expect(pauses.next(base: nil, random: 15_000) == 30_000)
        pauses.succeeded()
        #expect(pauses.next(base: nil, random: 250) == 500)
    }

    @Test func aTimeThatIsAskedForIsTheLeast() {
        var pauses = ReconnectPauses()
        #expect(pauses.next(base: 3_000, random: 0) == 3_000)
        #expect(pauses.next(base: 3_000, random: 0) == 3_000)
        #expect(pauses.next(base: 3_000, random: 0) == 6_000)
    }

    @Test(arguments: [Int64.min, -1, 0, .max]) func noBaseIsTooMuch(base: Int64) {
        var pauses = ReconnectPauses()
        for _ in 0..<100 {
            let pause = pauses.next(base: base, random: .max)
            #expect((0...45_000).contains(pause))
        }
    }
}

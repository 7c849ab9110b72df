import Testing

@testable import TandemRemote

@Suite struct MissingNumbersTests {
    @Test func whatTheLogsGiveBackIsNotLost() {
        var missing = MissingNumbers()
        #expect(missing.isEmpty)
        missing.lose(3...6)
        missing.lose(9...9)
        #expect(!missing.isEmpty)
        missing.heal([4, 5, 7])
        #expect(missing.settle() == 3)
        #expect(missing.isEmpty)
    }

    @Test func aLogMayBeQuickerThanTheNews() {
        var missing = MissingNumbers()
        missing.heal([4, 5])
        missing.lose(3...6)
        #expect(missing.settle() == 2)
    }

    @Test func moreThanWasLostIsNotGivenBack() {
        var missing = MissingNumbers()
        missing.lose(3...3)
        missing.heal([3, 3])
        #expect(missing.settle() == 0)
    }

    @Test func numbersMayBeAnyNumbers() {
        var missing = MissingNumbers()
        missing.lose(.min ... .max)
        missing.lose(0...(.max))
        #expect(missing.settle() == .max)
        missing.lose(1...2)
        missing.forget()
        #expect(missing.settle() == 0)
    }
}

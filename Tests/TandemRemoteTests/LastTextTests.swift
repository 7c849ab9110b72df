import TandemContract
import Testing

@testable import TandemRemote

@Suite struct LastTextTests {
    private func text(_ events: EngineEvent...) -> LastText {
        var text = LastText()
        for event in events { text.note(event) }
        return text
    }

    @Test func aRunThatCompletesAfterPiecesMissesTheWhole() {
        let text = text(RunEvents.delta(2), RunEvents.status(3), RunEvents.status(4))
        #expect(text.isMissed(at: RunEvents.end(5)))
        #expect(text.seq == 2 && text.since == ["e3", "e4"])
        #expect(!text.isMissed(at: RunEvents.end(5, status: "error")))
        #expect(!text.isMissed(at: RunEvents.status(5)))
    }

    @Test func theWholeIsMissedAgainAfterMorePieces() {
        var text = text(RunEvents.delta(2), RunEvents.wholeText(3))
        #expect(!text.isMissed(at: RunEvents.end(4)))
        text.note(RunEvents.delta(5))
        #expect(text.isMissed(at: RunEvents.end(6)))
    }

    @Test func theLogIsAskedOnce() {
        var text = text(RunEvents.delta(2))
        text.isAskedFor = true
        #expect(!text.isMissed(at: RunEvents.end(3)) && !text.canBeAskedFor)
    }

    @Test func whereTooMuchWasGivenSinceItIsNotAsked() {
        var text = text(RunEvents.delta(1))
        for seq in 2...257 { text.note(RunEvents.status(Int64(seq))) }
        #expect(text.since.count == 256)
        #expect(!text.canBeAskedFor)
        text.note(RunEvents.status(258))
        #expect(text.since.count == 256)
    }

    @Test func rewoundItKnowsNothingOfWhatComesAgain() {
        var text = text(RunEvents.delta(5), RunEvents.status(6))
        text.rewind(to: 5)
        #expect(text.seq == 5 && text.since == ["e6"])
        text.rewind(to: 3)
        #expect(text.seq == 3 && text.since.isEmpty)
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct CutEventsTests {
    private func row(_ seq: Int64, bytes: Int) -> EngineEvent {
        RunEvents.event("x", seq: seq, JSONWriter.object { $0.member("text", String(repeating: "x", count: bytes)) })
    }

    @Test func aLongRowIsMetOnceForEachFrame() {
        var cut = CutEvents()
        #expect(cut.meetFrame(row(1, bytes: 16_000)) == false)
        cut.noteFrame()
        #expect(cut.meetFrame(row(2, bytes: 10_000)) == false, "such a frame is not cut")
        #expect(cut.meetFrame(row(3, bytes: 16_000)) == true)
        #expect(cut.meetFrame(row(4, bytes: 16_000)) == false)
    }

    @Test func aPieceIsMetUnderItsNumberOnce() {
        var cut = CutEvents()
        cut.note(delta: RunEvents.delta(5))
        #expect(cut.meetDelta(4) == false)
        #expect(cut.meetDelta(5) == true)
        #expect(cut.meetDelta(5) == false)
    }

    @Test func whatNoLogGaveStandsWhereItCame() {
        var cut = CutEvents()
        for seq: Int64 in [2, 4, 6, 9] { cut.note(delta: RunEvents.delta(seq)) }
        #expect(cut.meetDelta(4) == true)
        var events = [RunEvents.status(3), RunEvents.status(7)]
        cut.putBack(into: &events)
        #expect(events.map(\.seq) == [2, 3, 6, 7, 9])
        cut.putBack(into: &events)
        #expect(events.count == 5, "once")
    }

    @Test func aFewAreKept() {
        var cut = CutEvents()
        for seq in 1...1_000 { cut.note(delta: RunEvents.delta(Int64(seq))) }
        var events: [EngineEvent] = []
        cut.putBack(into: &events)
        #expect(events.map(\.seq) == (1...16).map { Int64($0) })
    }
}

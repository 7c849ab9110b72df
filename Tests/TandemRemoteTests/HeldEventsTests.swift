import TandemContract
import Testing

@testable import TandemRemote

@Suite struct HeldEventsTests {
    private func held(_ events: EngineEvent?...) -> HeldEvents {
        var held = HeldEvents()
        for event in events {
            if let event, let seq = event.seq { held.append(event, seq) } else { held.isBroken = true }
        }
        return held
    }

    @Test func theyComeUpToThePlaceWhereMoreIsMissing() {
        var held = held(
            nil,
            RunEvents.status(3),
            RunEvents.status(4),
            nil,
            RunEvents.status(7),
            nil,
            RunEvents.status(9)
        )
        #expect(held.firstSeq == 3)
        #expect(held.takeFirst().map(\.seq) == [3, 4])
        #expect(held.takeFirst().map(\.seq) == [7])
        #expect(!held.isWhole)
        #expect(held.takeFirst().map(\.seq) == [9])
        #expect(held.isWhole && held.size == 0)
        #expect(held.takeFirst().isEmpty)
    }

    @Test func whatIsMissingBehindTheLastIsNotForgotten() {
        var held = held(RunEvents.status(3), nil)
        #expect(held.takeFirst().count == 1)
        #expect(held.isEmpty && !held.isWhole)
        held.mend()
        #expect(held.isWhole)
    }

    @Test func mendedTheyComeAtOnce() {
        var held = held(RunEvents.status(3), nil, RunEvents.status(7), nil)
        #expect(held.missingPlaces == 2)
        held.mend()
        #expect(held.takeFirst().map(\.seq) == [3, 7])
        #expect(held.isWhole)
    }

    @Test func droppingKeepsTheEndAndItsSize() {
        var held = held(RunEvents.status(3), RunEvents.end(4))
        let size = held.size
        #expect(held.hasEnd)
        held.drop()
        #expect(held.events.map(\.seq) == [4])
        #expect(held.size == EventFrame.size(RunEvents.end(4)) && held.size < size)
        #expect(held.isBroken && held.hasEnd)
    }

    @Test func anEndInTheirPlaceLeavesWhatIsMissing() {
        var held = held(RunEvents.status(3), nil)
        held.replace(with: RunEvents.end(9))
        #expect(held.events.map(\.seq) == [9])
        #expect(held.size == EventFrame.size(RunEvents.end(9)))
        #expect(held.isBroken)
    }

    @Test func takenAllTogetherNothingIsLeft() {
        var held = held(RunEvents.status(3), nil, RunEvents.status(7), nil)
        #expect(held.takeAll().map(\.seq) == [3, 7])
        #expect(held.isWhole && held.size == 0 && held.missingPlaces == 1)
    }

    @Test func aPageWithAnotherEventOfTheirNumberContradictsThem() {
        let held = held(RunEvents.status(3), RunEvents.status(4))
        func page(_ events: EngineEvent...) -> LogPage { LogPage(events: events, isFull: false) }
        #expect(!held.contradicts(page(RunEvents.status(2), RunEvents.status(3), RunEvents.end(5))))
        #expect(held.contradicts(page(RunEvents.event("session.status", seq: 4, id: "another"))))
        #expect(!HeldEvents().contradicts(page(RunEvents.event("session.status", seq: 4, id: "another"))))
    }
}

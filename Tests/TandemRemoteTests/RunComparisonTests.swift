import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct RunComparisonTests {
    private static let second: UInt64 = 1_000_000_000

    private func event(_ seq: Int64, _ type: String, _ properties: String = #"{"sessionID":"s","runID":"r"}"#)
        -> EngineEvent
    {
        EngineEvent(
            type: type,
            properties: JSONText(trusted: Array(properties.utf8)),
            envelope: EngineEvent.Envelope(
                eventID: "e\(seq)",
                seq: seq,
                occurredAtMilliseconds: 0,
                sessionID: "s",
                runID: "r"
            )
        )
    }

    private func piece(_ seq: Int64, _ text: String) -> EngineEvent {
        event(seq, "message.part.updated", #"{"delta":"\#(text)","part":{"type":"text"},"sessionID":"s","runID":"r"}"#)
    }

    private func message(_ seq: Int64, _ text: String) -> EngineEvent {
        event(seq, "message.part.updated", #"{"part":{"type":"text","text":"\#(text)"},"sessionID":"s","runID":"r"}"#)
    }

    private func status(_ seq: Int64) -> EngineEvent { event(seq, "session.status", #"{"sessionID":"s"}"#) }

    private func end(_ seq: Int64) -> EngineEvent { event(seq, "session.run.finished") }

    /// A run with all its events.
    private var run: [EngineEvent] {
        [
            event(10, "session.run.started"), status(11), event(12, "provider.call.iteration.start"), piece(13, "Hel"),
            piece(15, "lo"),
            event(17, "message.part.updated", #"{"part":{"type":"tool","state":"completed"},"runID":"r"}"#),
            event(18, "provider.usage", #"{"sessionID":"s"}"#), message(19, "Hello"), end(20),
        ]
    }

    /// The comparison of a run of which these numbers did not come.
    private func missing(_ numbers: Int64...) -> RunComparison {
        var comparison = RunComparison()
        for event in run where !numbers.contains(event.seq ?? 0) { comparison.note(event, isLive: true) }
        let hasBegun = comparison.begin(end(20), now: 0)
        #expect(hasBegun)
        return comparison
    }

    private func compared(_ comparison: RunComparison, with rows: [EngineEvent]) -> (late: [Int64], ResyncCounts) {
        var comparison = comparison
        let isOver = comparison.take(LogPage(events: rows, isFull: false), run: "r", session: "s", now: 1)
        #expect(isOver)
        let found = comparison.conclude()
        return (found.late.compactMap(\.seq), found.counts)
    }

    @Test func whatCameIsNotMissing() {
        let (late, counts) = compared(missing(), with: run)
        #expect(late == [] && counts.isEmpty)
    }

    @Test func piecesOfTextAreCountedAndEndsOfToolsComeLate() {
        let (late, counts) = compared(missing(13, 15, 17, 18), with: run)
        #expect(late == [17, 18])
        #expect(counts == ResyncCounts(gaps: 4, healed: 2))
    }

    @Test func whatTheFiltersLeaveOutIsNotMissing() {
        let others = [
            event(14, "tool.dispatch.recorded", "{}"), event(16, "session.status", #"{"sessionID":"t"}"#),
            event(16, "session.status", #"{"sessionID":"s","runID":"q"}"#), event(9, "session.created"),
        ]
        let (late, counts) = compared(missing(), with: (run + others).sorted { ($0.seq ?? 0) < ($1.seq ?? 0) })
        #expect(late == [] && counts.isEmpty)
    }

    @Test func aStreamThatBringsOnlyWhatNamesItsRunMissesNothingElse() {
        var comparison = RunComparison()
        for event in run where event.properties["runID"] != nil { comparison.note(event, isLive: true) }
        _ = comparison.begin(end(20), now: 0)
        let (late, counts) = compared(comparison, with: run)
        #expect(late == [] && counts.isEmpty)
    }

    @Test func whatCameBeforeTheStreamBeganIsNotMissing() {
        var comparison = RunComparison()
        for event in run.dropFirst(4) { comparison.note(event, isLive: true) }
        _ = comparison.begin(end(20), now: 0)
        #expect(comparison.place == 14)
        #expect(compared(comparison, with: run).1.isEmpty)
    }

    @Test func onlyTheNewestListOfTodosComesLate() {
        func todos(_ seq: Int64) -> EngineEvent { event(seq, "todo.updated") }
        for (given, lost, late) in [(14, 16, [16]), (16, 14, [])] as [(Int64, Int64, [Int64])] {
            var comparison = RunComparison()
            for event in run + [todos(given)] { comparison.note(event, isLive: true) }
            _ = comparison.begin(end(20), now: 0)
            let rows = (run + [todos(14), todos(16)]).sorted { ($0.seq ?? 0) < ($1.seq ?? 0) }
            let found = compared(comparison, with: rows)
            #expect(found.late == late, "\(lost)")
            #expect(found.1 == ResyncCounts(gaps: 1, healed: Int64(late.count)))
        }
    }

    @Test func aRunThatCameFromItsLogIsNotComparedWithIt() {
        var comparison = RunComparison()
        for event in run { comparison.note(event, isLive: false) }
        let hasBegun = comparison.begin(end(20), now: 0)
        #expect(!hasBegun)
    }

    @Test func textThatIsWholeHasItsEndHeldBackForASecond() {
        let whole = missing()
        #expect(!whole.isGivenUp(now: Self.second - 1))
        #expect(whole.isGivenUp(now: Self.second))
    }

    @Test func piecesThatDoNotMakeTheTextHaveTheLogAwaited() {
        var cut = missing(15)
        #expect(!cut.isGivenUp(now: RunLane.patience - 1))
        let isOver = cut.take(LogPage(events: Array(run.prefix(4)), isFull: false), run: "r", session: "s", now: 5)
        #expect(!isOver)
        #expect(!cut.isGivenUp(now: RunLane.patience + 4))
        #expect(cut.isGivenUp(now: RunLane.patience + 5))
        #expect(cut.conclude().counts == ResyncCounts(gaps: 1), "how many is not known, that something is missing is")
    }

    @Test func textBeforeAnEarlierCallIsNoPartOfTheFinalText() {
        var comparison = RunComparison()
        comparison.note(piece(1, "Let me see."), isLive: true)
        for event in run { comparison.note(event, isLive: true) }
        _ = comparison.begin(end(20), now: 0)
        #expect(comparison.isGivenUp(now: Self.second))
    }

    @Test func whatIsGivenAnewIsNotCountedAsGiven() {
        var comparison = missing()
        #expect(comparison.rewind(to: 15) == end(20))
        #expect(comparison.end == nil)
        for event in run.dropFirst(5) { comparison.note(event, isLive: true) }
        _ = comparison.begin(end(20), now: 0)
        #expect(compared(comparison, with: run).1 == ResyncCounts(gaps: 1))
    }

    @Test func piecesThatCameTwiceSayNothingOfTheText() {
        var comparison = missing()
        _ = comparison.rewind(to: 15)
        for event in run.dropFirst(4) { comparison.note(event, isLive: true) }
        _ = comparison.begin(end(20), now: 0)
        #expect(comparison.isGivenUp(now: Self.second))
    }

    @Test func equalTextsHaveEqualSumsHoweverTheyCame() {
        func sum(_ pieces: String...) -> TextSum {
            var sum = TextSum()
            for piece in pieces { sum.add(piece) }
            return sum
        }
        #expect(sum("Hé", "llo") == sum("H", "", "éllo"))
        #expect(sum("Hello") != sum("Helo"))
        #expect(sum() != sum("\u{0}"))
    }
}

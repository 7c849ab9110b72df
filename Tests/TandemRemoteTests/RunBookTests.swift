import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct RunBookTests {
    private func event(
        _ type: String,
        run: String? = nil,
        session: String? = "s",
        text: String = "",
        seq: Int64? = nil
    ) -> EngineEvent {
        EngineEvent(
            type: type,
            properties: JSONWriter.object { writer in
                writer.optional("runID", run)
                writer.optional("sessionID", session)
                writer.member("text", text)
            },
            envelope: seq.map { seq in
                EngineEvent.Envelope(
                    eventID: "e\(seq)",
                    seq: seq,
                    occurredAtMilliseconds: 0,
                    sessionID: session,
                    runID: run
                )
            }
        )
    }

    @Test func eventsOfTheSessionBelongToItsActiveRun() {
        var book = RunBook()
        #expect(book.note(event("session.created"), now: 1) == nil)
        #expect(book.note(event("session.run.started", run: "r"), now: 2) == "r")
        #expect(book.note(event("session.status"), now: 3) == "r")
        #expect(book.note(event("session.status", session: "other"), now: 3) == nil)
        #expect(book.note(event("session.run.finished", run: "r"), now: 4) == "r")
        #expect(book.note(event("session.status"), now: 5) == nil)
        #expect(book["r"]?.events.map(\.type) == ["session.run.started", "session.status", "session.run.finished"])
        #expect(book["r"]?.endedAt == 4)
    }

    @Test func nothingFollowsTheFirstEnd() {
        var book = RunBook()
        _ = book.note(event("session.run.started", run: "r"), now: 1)
        _ = book.note(event("session.run.finished", run: "r"), now: 1)
        #expect(book.note(event("session.run.finished", run: "r"), now: 2) == nil)
        #expect(book["r"]?.events.count == 2)
    }

    @Test func endedRunsAreKeptForAMinute() {
        var book = RunBook()
        _ = book.note(event("session.run.finished", run: "r"), now: 1)
        _ = book.note(event("session.run.started", run: "alive", session: "t"), now: 1)
        book.expire(now: RunBook.keptNanoseconds)
        #expect(book["r"] != nil)
        book.expire(now: RunBook.keptNanoseconds + 1)
        #expect(book["r"] == nil)
        #expect(book["alive"] != nil)
    }

    @Test func aRunBeyondItsLimitIsNoLongerWhole() {
        var book = RunBook()
        let text = String(repeating: "x", count: RunBook.runBytes / 4)
        _ = book.note(event("session.run.started", run: "r"), now: 1)
        #expect(book["r"]?.isWhole == true)
        for _ in 0..<5 { _ = book.note(event("message.part.updated", run: "r", text: text), now: 1) }
        #expect(book["r"]?.isWhole == false)
        #expect(book["r"]?.events.isEmpty == true)
        #expect(book.bytes == 0)
    }

    @Test func aRunThatIsMetInItsMiddleIsNotWhole() {
        var book = RunBook()
        _ = book.note(event("session.status", run: "r"), now: 1)
        #expect(book["r"]?.isWhole == false)
        #expect(book["r"]?.events.isEmpty == true)
    }

    @Test func aLossConcernsRunsThatGoOn() {
        var book = RunBook()
        for run in ["a", "b", "over"] { _ = book.note(event("session.run.started", run: run, session: run), now: 1) }
        _ = book.note(event("session.run.finished", run: "over", session: "over"), now: 1)
        book.lose(session: "a")
        #expect(["a", "b", "over"].map { book[$0]?.isBroken } == [true, false, false])
        book.lose()
        #expect(["a", "b", "over"].map { book[$0]?.isBroken } == [true, true, false])
    }

    @Test func whatWasKeptBeforeALossIsKeptWithThePlaceOfIt() {
        var book = RunBook()
        _ = book.note(event("session.run.started", run: "r", seq: 3), now: 1)
        book.lose()
        _ = book.note(event("session.status", run: "r", seq: 5), now: 1)
        #expect(book["r"]?.events.count == 2)
        #expect(book["r"]?.breaks == [5])
        #expect(book["r"]?.isBroken == false)
    }

    @Test func aRunThatIsPresumedToBeOverGoesOnWithItsEvents() {
        var book = RunBook()
        _ = book.note(event("session.run.started", run: "r"), now: 1)
        book.presumeOver("r", now: 2)
        #expect(book["r"]?.isOver == true)
        #expect(book.note(event("session.status"), now: 3) == nil)
        #expect(book.note(event("message.part.updated", run: "r"), now: 4) == "r")
        #expect(book["r"]?.isOver == false)
        #expect(book.note(event("session.status"), now: 5) == "r")
        book.presumeOver("r", now: 6)
        book.expire(now: 6 + RunBook.keptNanoseconds)
        #expect(book["r"] == nil)
    }

    @Test func whatAnotherProcessPublishesIsOfARunOnlyIfItSaysSo() {
        var book = RunBook()
        _ = book.note(event("session.run.started", run: "r"), now: 1)
        book.leave(now: 2)
        #expect(book.note(event("session.status"), now: 3) == nil)
        #expect(book.note(event("session.status", run: "r"), now: 3) == "r")
        book.expire(now: 2 + RunBook.keptNanoseconds)
        #expect(book["r"] == nil)
    }

    @Test func aRunWhoseEndWasLostIsKeptForAMinuteOfTheNextRun() {
        var book = RunBook()
        _ = book.note(event("session.run.started", run: "lost"), now: 1)
        _ = book.note(event("session.run.started", run: "next"), now: 2)
        _ = book.note(event("session.run.started", run: "other", session: "t"), now: 2)
        book.expire(now: 1 + RunBook.keptNanoseconds)
        #expect(book["lost"]?.isOver == false)
        book.expire(now: 2 + RunBook.keptNanoseconds)
        #expect(book["lost"] == nil)
        #expect(book["next"] != nil && book["other"] != nil)
        _ = book.note(event("session.run.finished", run: "next"), now: 3 + RunBook.keptNanoseconds)
        book.expire(now: 3 + 2 * RunBook.keptNanoseconds)
        #expect(book.bytes == book["other"]?.bytes)
    }

    @Test func aRunThatGoesOnBesideTheNextIsKeptAsLongAsItDoes() {
        var book = RunBook()
        _ = book.note(event("session.run.started", run: "a"), now: 1)
        _ = book.note(event("session.run.started", run: "b"), now: 2)
        #expect(book.note(event("message.part.updated", run: "a"), now: 50) == "a")
        #expect(!book.hasLeft("a"), "its process is still there")
        #expect(book.note(event("session.status"), now: 51) == "b")
        book.expire(now: 2 + RunBook.keptNanoseconds)
        #expect(book["a"]?.events.count == 2)
        book.expire(now: 50 + RunBook.keptNanoseconds)
        #expect(book["a"] == nil && book["b"] != nil)
    }
}

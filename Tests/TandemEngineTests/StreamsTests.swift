import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct StreamsTests {
    private static let longAnswer: [ModelEvent] =
        (0..<1_200).map { .text("\($0) ") } + [.finished(reason: "stop")]

    @Test func aConsumerThatIsBehindGoesOnFromTheLog() throws {
        let fixture = try EngineFixture(ScriptedModel(StreamsTests.longAnswer))
        let session = try fixture.session()
        let (slow, call) = fixture.stream(session: session, into: Recorder(room: 5))
        let (fast, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        let all = try #require(fast.wait(for: finished))
        #expect(slow.types.count == 5)
        for room in [0, 7, 900] {
            slow.makeRoom(room)
            call.resume()
        }
        _ = slow.wait(count: 905)
        slow.makeRoom(.max)
        call.resume()
        let seen = try #require(slow.wait(for: finished))
        #expect(seen.dropFirst(2).map(\.frame) == all.dropFirst(2).map(\.frame))
        // Caught up: what comes now arrives live, once.
        _ = try fixture.prompt(session)
        let both = try #require(slow.wait(for: finished, count: 2))
        let seqs = both.compactMap { $0.envelope?.seq }
        #expect(seqs == Array(Int64(2)..<Int64(2 + seqs.count)))
    }

    @Test func aConsumerMayEvenBeBehindAtTheOpeningFrames() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let session = try fixture.session()
        let (slow, call) = fixture.stream(session: session, into: Recorder(room: 1))
        _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hi"))
        slow.makeRoom(.max)
        call.resume()
        let seen = try #require(slow.wait(for: finished))
        #expect(seen.prefix(3).map(\.type) == ["server.connected", "engine.lifecycle.ready", "session.run.started"])
    }

    @Test func aRunThatIsOverIsToldFromItsBeginning() throws {
        let fixture = try EngineFixture(ScriptedModel(StreamsTests.longAnswer))
        let session = try fixture.session()
        let run = try fixture.prompt(session)
        let (live, _) = fixture.stream(run: run)
        #expect(try #require(live.waitForEnd()).get() == nil)
        let (later, _) = fixture.stream(run: run)
        #expect(try #require(later.waitForEnd()).get() == nil)
        #expect(later.types.count == 1_200 + 15)
        #expect(later.types.last == finished)
        #expect(
            live.state.withLock { $0.events.dropFirst(2).map(\.frame) }
                == later.state.withLock { $0.events.dropFirst(2).map(\.frame) }
        )
    }

    @Test func anUnknownRunIsNotFound() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let (recorder, _) = fixture.stream(run: "nope")
        guard case .failure(let failure)? = recorder.waitForEnd() else {
            Issue.record("no failure")
            return
        }
        #expect(failure.name == .notFound)
    }

    @Test func aStreamIsCancelledPromptly() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        for room in [Int.max, 0, 2] {
            let (recorder, call) = fixture.stream(into: Recorder(room: room))
            call.cancel()
            guard case .failure(let failure)? = recorder.waitForEnd() else {
                Issue.record("no failure")
                return
            }
            #expect(failure.name == .cancelled)
        }
    }

    @Test func aSessionsStreamCarriesNothingOfOthers() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let (mine, yours) = (try fixture.session(), try fixture.session())
        let (recorder, _) = fixture.stream(session: mine)
        let (everything, _) = fixture.stream()
        _ = try fixture.call(.sessionsPromptSync, yours, EngineFixture.body("hi"))
        _ = try fixture.call(.sessionsPromptSync, mine, EngineFixture.body("hi"))
        _ = recorder.wait(for: finished)
        _ = everything.wait(for: finished, count: 2)
        #expect(recorder.state.withLock { $0.events.compactMap { $0.envelope?.sessionID } }.allSatisfy { $0 == mine })
        #expect(everything.types.count { $0 == finished } == 2)
    }

    @Test func storedEventsComeInPages() throws {
        let fixture = try EngineFixture(ScriptedModel(StreamsTests.longAnswer))
        let session = try fixture.session()
        let run = try fixture.prompt(session)
        let (recorder, _) = fixture.stream(run: run)
        _ = recorder.waitForEnd()
        func page(_ query: [(String, String)]) throws -> JSONText {
            let request = Request(
                .engineRunEvents,
                path: [Request.Field("run_id", run)],
                query: query.map { Request.Field($0, $1) }
            )
            return try #require(try fixture.reply(request).json)
        }
        let first = try page([])
        #expect(first["count"]?.integer == 250)
        #expect(first["limit"]?.integer == 250)
        #expect(first["events"]?.elements.first?["event_type"]?.string == "session.run.started")
        let after = try #require(first["last_seq"]?.integer)
        #expect(try page([("after_seq", "\(after)")])["first_seq"]?.integer == after + 1)
        #expect(try page([("limit", "5000")])["count"]?.integer == 1_000)
        let tail = try page([("tail", "2")])
        #expect(tail["events"]?.elements.last?["event_type"]?.string == finished)
        #expect(tail["count"]?.integer == 2)
        #expect(try page([("before_seq", "\(after)"), ("limit", "3")])["last_seq"]?.integer == after - 1)
        let request = Request(.engineRunEvents, path: [Request.Field("run_id", "nope")])
        #expect(
            try fixture.reply(request).json?.text
                == #"{"run_id":"nope","events":[],"count":0,"first_seq":null,"last_seq":null,"limit":250,"tail":null,"sequence_scope":"runtime_event_bus"}"#
        )
    }
}

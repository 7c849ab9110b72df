import Glibc
import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct EngineTests {
    private func configuration(_ folder: Folder, _ model: ScriptedModel = ScriptedModel(text: "Hi"))
        -> EngineConfiguration
    {
        var configuration = EngineFixture.configuration(model)
        configuration.state = .directory(folder.path + "/state")
        return configuration
    }

    private func failure(_ configuration: EngineConfiguration) -> Failure? {
        guard let loop = EventLoop.start(name: "test-io") else { return nil }
        defer { _ = loop.stop(by: .never) }
        do throws(Failure) {
            _ = try Engine.open(configuration, loop: loop)
            return nil
        } catch { return error }
    }

    @Test func theStateSurvivesAClose() throws {
        let folder = Folder()
        var session = ""
        do {
            let fixture = try EngineFixture(configuration(folder))
            session = try fixture.session(#"{"title":"Kept"}"#)
            _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hi"))
        }
        let fixture = try EngineFixture(configuration(folder))
        #expect(try fixture.call(.sessionsGet, session).json?["title"]?.string == "Kept")
        #expect(try fixture.texts(session) == ["hi", "Hi"])
    }

    @Test func aSecondOpenerIsToldWhoHasTheState() throws {
        let folder = Folder()
        let fixture = try EngineFixture(configuration(folder))
        for _ in 0..<2 {
            let failure = failure(configuration(folder))
            #expect(failure?.name == .stateLocked)
            #expect(failure?.detail?["pid"]?.integer == Int64(getpid()))
        }
        _ = fixture.engine.close(by: .never)
        #expect(failure(configuration(folder)) == nil)
    }

    @Test(arguments: [("A", 5_000), ("SQLite format 3\0", 8_000), ("xyz", 0)])
    func aBrokenDatabaseStaysAsItIs(start: String, sevens: Int) throws {
        let bytes = Array(start.utf8) + [UInt8](repeating: 7, count: sevens)
        let folder = Folder()
        mkdir(folder.path + "/state", 0o700)
        folder.write("state/tandem.db", bytes)
        #expect(failure(configuration(folder))?.name == .stateCorrupt)
        #expect(folder.read("state/tandem.db") == bytes)
    }

    @Test func aWorkspaceHasToBeThere() throws {
        var configuration = EngineConfiguration()
        configuration.workspace = "/no/such/folder"
        let failure = failure(configuration)
        #expect(failure?.name == .invalidArgument)
        #expect(failure?.message.contains("/no/such/folder") == true)
    }

    @Test func anInterruptedRunIsClosedAtTheNextOpen() throws {
        let folder = Folder()
        let copy = Folder()
        let model = ScriptedModel(nil)
        let fixture = try EngineFixture(configuration(folder, model))
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        var request = EngineFixture.request(.sessionsPromptAsync, session, EngineFixture.body("hi"))
        request.headers = [Request.Field("idempotency-key", "k")]
        let run = try #require(try fixture.reply(request).json?["runID"]?.string)
        try #require(model.request()).deliver([.text("half "), .text("of it")])
        _ = events.wait(for: "message.part.updated", count: 3)
        // What a killed process leaves behind: the files as they are now.
        mkdir(copy.path + "/state", 0o700)
        for name in ["tandem.db", "tandem.db-wal"] { copy.write("state/" + name, folder.read("state/" + name)) }

        let second = try EngineFixture(configuration(copy))
        #expect(try second.call(.sessionsActiveRun, session).json?["active"]?.isNull == true)
        #expect(try second.texts(session).prefix(2) == ["hi", "half of it"])
        let (after, _) = second.stream(run: run)
        #expect(try #require(after.waitForEnd()).get() == nil)
        #expect(
            after.types.suffix(4) == ["session.error", "session.status", "session.updated", finished]
        )
        let all = after.state.withLock { $0.events }
        #expect(all[all.count - 4].properties.at("error", "code")?.string == "INTERRUPTED")
        #expect(all.last?.properties["status"]?.string == "error")
        let seqs = all.compactMap { $0.envelope?.seq }
        #expect(seqs == seqs.sorted() && Set(seqs).count == seqs.count)
        #expect(try second.reply(request).json?["idempotentReplay"]?.boolean == true)
    }

    @Test func aFullDiskFailsWritesAndRunsAndLaterWritesWorkAgain() throws {
        let folder = Folder()
        let model = ScriptedModel(nil)
        var configuration = configuration(folder, model)
        configuration.maximumPages = 60
        let fixture = try EngineFixture(configuration)
        let session = try fixture.session()
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        try #require(model.request()).deliver([.text(String(repeating: "x", count: 400_000))])
        let last = try #require(events.wait(for: finished)?.last)
        #expect(last.properties["status"]?.string == "error")
        #expect(last.properties["error"]?.string?.isEmpty == false)
        let big = #"{"title":"\#(String(repeating: "y", count: 400_000))"}"#
        guard case .failure(let failure) = fixture.answer(EngineFixture.request(.sessionsCreate, nil, big)) else {
            Issue.record("no failure")
            return
        }
        #expect(failure.name == .stateFull)
        #expect(try fixture.call(.sessionsCreate, nil, "{}").status == 200)
        #expect(try fixture.call(.sessionsActiveRun, session).json?["active"]?.isNull == true)
        #expect(try fixture.texts(session) == ["hi"])
    }

    @Test func closingEndsRunsAndStreams() throws {
        let folder = Folder()
        let model = ScriptedModel(nil)
        var session = ""
        let recorder = Recorder()
        do {
            let fixture = try EngineFixture(configuration(folder, model))
            session = try fixture.session()
            _ = fixture.stream(session: session, into: recorder)
            _ = try fixture.prompt(session)
            #expect(fixture.engine.close(by: Deadline(afterMilliseconds: 10_000)))
            #expect(fixture.engine.close(by: Deadline(afterMilliseconds: 10_000)))
            guard case .failure(let failure) = fixture.answer(EngineFixture.request(.sessionsGet, session)) else {
                Issue.record("a closed engine answered")
                return
            }
            #expect(failure.name == .closed)
        }
        guard case .failure(let failure)? = recorder.waitForEnd() else {
            Issue.record("the stream did not end")
            return
        }
        #expect(failure.name == .closed)
        #expect(recorder.types.last == finished)
        let fixture = try EngineFixture(configuration(folder))
        #expect(try fixture.call(.sessionsActiveRun, session).json?["active"]?.isNull == true)
    }

    @Test func theSameSeedGivesTheSameBytes() throws {
        func record() throws -> [String] {
            let fixture = try EngineFixture(ScriptedModel([.text("a "), .text("b"), .finished(reason: nil)]))
            let session = try fixture.session()
            let (events, _) = fixture.stream(session: session)
            _ = try fixture.prompt(session)
            return try #require(events.wait(for: finished)).map(\.frame.text)
        }
        #expect(try record() == record())
    }

    @Test func whatIsNotBuiltSaysSo() throws {
        let fixture = try EngineFixture(ScriptedModel(nil))
        guard case .failure(let failure) = fixture.answer(Request(OperationNumber(0))) else {
            Issue.record("answered")
            return
        }
        #expect(failure.name == .notSupported)
    }

    @Test func manyThreadsMayCallAtOnce() throws {
        let fixture = try EngineFixture(ScriptedModel(text: "Hi"))
        let session = try fixture.session()
        let done = Monitor(0)
        for _ in 0..<8 {
            _ = Thread.start("test") {
                for _ in 0..<50 {
                    _ = fixture.answer(EngineFixture.request(.sessionsGet, session))
                    _ = fixture.answer(EngineFixture.request(.sessionsCreate, nil, "{}"))
                }
                done.change { $0 += 1 }
            }
        }
        #expect(done.wait(until: Deadline(afterMilliseconds: 30_000)) { $0 == 8 ? true : nil } == true)
        var request = EngineFixture.request(.sessionsList)
        request.query = [Request.Field("page_size", "1000")]
        #expect(try fixture.reply(request).json?.elements.count == 401)
    }
}

extension EngineFixture: @unchecked Sendable {}

import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

@Suite struct OperationSinkTests {
    private let fixture: ClientFixture
    private let backend: FakeBackend

    init() throws {
        fixture = try ClientFixture()
        backend = fixture.backend
    }

    @Test func eventsGetTheDocumentedForm() throws {
        _ = try fixture.submit("engine.stream", #"{"session_id":"s","run_id":"r","$tag":"t"}"#)
        #expect(try backend.push(.todo, .delta("a\\n"), .todo) == 3)
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["todo.updated", "session.response", "todo.updated"])
        #expect(events.map { $0["tag"]?.string } == ["t", "t", "t"])
        #expect(events.map { $0["session_id"]?.string } == ["s", "s", "s"])
        #expect(events.map { $0["run_id"]?.string } == ["r", "r", "r"])
        #expect(events[1].at("properties", "delta")?.string == "a\n")
        #expect(events.compactMap { $0["seq"]?.integer } == [1, 2, 3])
    }

    @Test func runOfThePathIsTheStreams() throws {
        _ = try fixture.submit("engine.run_stream", #"{"run_id":"r"}"#)
        try backend.push(.todo)
        #expect(try fixture.nextEvents().first?["run_id"]?.string == "r")
    }

    @Test func engineVocabularyGivesFrames() throws {
        _ = try fixture.submit("engine.global_stream", #"{"$vocabulary":"engine"}"#)
        let event = EngineEvent(
            type: "session.created",
            properties: try JSONText(checking: #"{"sessionID":"p"}"#),
            envelope: .init(eventID: "e", seq: 4, occurredAtMilliseconds: 77, sessionID: "s", runID: nil)
        )
        try backend.push(event, EngineEvent(type: "x", properties: try JSONText(checking: #"{"sessionID":"p"}"#)))
        let events = try fixture.nextEvents()
        #expect(events.first?["frame"] == event.frame)
        #expect(events.first?["session_id"]?.string == "s")
        #expect(events.first?["at_ms"]?.integer == 77)
        #expect(events.last?["session_id"]?.string == "p")
        #expect(events.last?["properties"] == nil)
    }

    @Test func eventsThatComeTogetherWakeOnce() throws {
        _ = try fixture.submit("engine.global_stream")
        let epoch = fixture.client.host.signal.epoch
        #expect(try backend.push(.todo, .delta("a"), .todo) == 3)
        #expect(fixture.client.host.signal.epoch == epoch + 1)
        #expect(try fixture.next().count == 3)
    }

    @Test func eventsThatNobodyIsShownAreCountedAndWakeNobody() throws {
        let id = try fixture.submit("engine.global_stream")
        #expect(fixture.client.change { $0.mailbox.own(id) } == .owned)
        let epoch = fixture.client.host.signal.epoch
        let hidden = EngineEvent(type: "server.connected", properties: .emptyObject)
        #expect(try backend.push(.todo, hidden, .delta("a"), .todo) == 4)
        #expect(fixture.client.host.signal.epoch == epoch)
        #expect(fixture.client.stats()["events_discarded"]?.integer == 3)
    }

    @Test func aStreamThatIsTakenOverByItsWaiterAndGivenBackGoesOn() throws {
        let id = try fixture.submit("engine.stream", #"{"session_id":"s","run_id":"r"}"#)
        #expect(fixture.client.change { $0.mailbox.own(id) } == .owned)
        let error = #"{"error":{"code":"C","message":"broken"}}"#
        try backend.push(EngineEvent(type: "session.error", properties: try JSONText(checking: error)))
        fixture.client.change { $0.mailbox.release(id) }
        let end = try JSONText(checking: #"{"status":"error"}"#)
        try backend.push(EngineEvent(type: "session.run.finished", properties: end))
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["run.failed"])
        #expect(events.first?.at("properties", "error", "message")?.string == "broken")
    }

    @Test func eventsThatAreNotShownAreTaken() throws {
        _ = try fixture.submit("engine.global_stream")
        #expect(try backend.push(EngineEvent(type: "server.connected", properties: .emptyObject), .todo) == 2)
        #expect(try fixture.next() == ["todo.updated"])
    }

    @Test func fullQueueTakesAPartAndSaysSoLater() throws {
        let fixture = try ClientFixture { $0.queueBytes = 1 }
        _ = try fixture.submit("engine.global_stream")
        let resumed = Lock(0)
        try fixture.backend.last().call.whenResumed { resumed.withLock { $0 += 1 } }
        #expect(try fixture.backend.push(.todo, .todo, .todo) == 1)
        #expect(try fixture.backend.push(.todo, .todo) == 0)
        #expect(resumed.withLock { $0 } == 0)
        #expect(try fixture.next() == ["todo.updated"])
        #expect(resumed.withLock { $0 } == 1)
        #expect(try fixture.backend.push(.todo) == 1)
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["stream.resynced", "todo.updated"])
        #expect(events.first?["properties"]?.text == #"{"gaps":1,"duplicates":0,"truncated":0,"healed":1}"#)
        #expect(try fixture.backend.push(.todo) == 1)
        #expect(try fixture.next() == ["todo.updated"], "it says so once")
    }

    @Test func eventThatIsNotShownDoesNotSayThatAStreamWasBehind() throws {
        let fixture = try ClientFixture { $0.queueBytes = 1 }
        _ = try fixture.submit("engine.global_stream")
        #expect(try fixture.backend.push(.todo, .todo) == 1)
        _ = try fixture.next()
        try fixture.backend.push(EngineEvent(type: "server.connected", properties: .emptyObject))
        #expect(try fixture.next().isEmpty)
        try fixture.backend.push(.todo)
        #expect(try fixture.next() == ["stream.resynced", "todo.updated"])
    }

    @Test func refusedEventComesAgainUnchanged() throws {
        let fixture = try ClientFixture { $0.queueBytes = 1 }
        _ = try fixture.submit("engine.stream", #"{"run_id":"r"}"#)
        let end = EngineEvent(type: "session.run.finished", properties: .emptyObject)
        #expect(try fixture.backend.push(.todo, end) == 1)
        _ = try fixture.next()
        #expect(try fixture.backend.push(end) == 1)
        #expect(try fixture.next() == ["stream.resynced", "run.completed"], "the first try has not used it up")
    }

    @Test func streamThatGaveEnoughEnds() throws {
        let id = try fixture.submit("engine.global_stream", #"{"$take":2}"#)
        #expect(try backend.push(.todo) == 1)
        #expect(try !backend.last().call.isCancelled)
        #expect(try backend.push(.todo, .todo, .todo) == 3)
        #expect(try backend.last().call.isCancelled)
        #expect(try backend.push(.todo) == 1, "what comes late is taken and forgotten")
        try backend.end(.failure(Failure(.cancelled, "late")))
        let events = try fixture.nextEvents()
        #expect(events.compactMap { $0["type"]?.string } == ["todo.updated", "todo.updated", "done"])
        #expect(events.last?["result"]?.text == #"{"ok":{"ended":false}}"#)
        #expect(fixture.client.cancel(id) == .over)
    }

    @Test func bothVocabulariesGiveTheEnginesEventAndWhatItMeans() throws {
        _ = try fixture.submit("engine.stream", #"{"session_id":"s","run_id":"r","$vocabulary":"both"}"#)
        let echo = EngineEvent(
            type: "message.part.updated",
            properties: try JSONText(checking: #"{"part":{"type":"text"},"delta":"said","agent":"build"}"#)
        )
        let end = EngineEvent(type: "session.run.finished", properties: .emptyObject)
        try backend.push(echo, .delta("a"), .todo, end, end)
        let events = try fixture.nextEvents()
        #expect(
            events.compactMap { $0["type"]?.string } == [
                "message.part.updated", "message.part.updated", "session.response", "todo.updated",
                "session.run.finished", "run.completed", "session.run.finished",
            ]
        )
        #expect(events[1].at("frame", "properties", "delta")?.string == "a")
        #expect(events[2].at("properties", "delta")?.string == "a")
    }

    @Test func foldedEventsCarryTheStateSoFar() throws {
        for vocabulary in ["normalized", "engine", "both"] {
            _ = try fixture.submit(
                "engine.stream",
                #"{"session_id":"s","run_id":"r","$fold":true,"$vocabulary":"\#(vocabulary)"}"#
            )
            try backend.push(.delta("a"), .delta("b"), .todo)
            let texts = try fixture.nextEvents().map { $0.at("state", "text")?.string }
            #expect(texts == (vocabulary == "both" ? ["a", "a", "ab", "ab", "ab"] : ["a", "ab", "ab"]))
        }
    }

    @Test func eventOfNoRunHasNoState() throws {
        _ = try fixture.submit("engine.global_stream", #"{"fold":true}"#)
        try backend.push(.todo)
        #expect(try fixture.nextEvents().first?["state"] == nil)
    }

    @Test func foldedTextOfARefusedEventIsCountedOnce() throws {
        let fixture = try ClientFixture { $0.queueBytes = 1 }
        _ = try fixture.submit("engine.stream", #"{"run_id":"r","fold":true}"#)
        let usage = EngineEvent(type: "provider.usage", properties: try JSONText(checking: #"{"promptTokens":5}"#))
        #expect(try fixture.backend.push(.todo, usage) == 1)
        _ = try fixture.next()
        #expect(try fixture.backend.push(usage) == 1)
        let event = try #require(fixture.nextEvents().last)
        #expect(event.at("state", "usage", "prompt_tokens")?.integer == 5)
    }

    @Test func textIsJoinedWithinItsTime() throws {
        let id = try fixture.submit("engine.stream", #"{"run_id":"r","coalesce_ms":20}"#)
        try backend.push(.delta("a"), .delta("b"))
        try backend.push(.delta("c"))
        let event = try #require(fixture.nextEvents(0, 10_000).first)
        #expect(event.at("properties", "delta")?.string == "abc")
        try backend.push(.delta("d"), .todo)
        #expect(try fixture.next() == ["session.response", "todo.updated"], "nothing waits for more text")
        try backend.push(.delta("e"))
        _ = fixture.client.cancel(id)
        #expect(try fixture.next() == ["session.response", "done"])
    }

    private static func piece(_ text: String) -> EngineEvent {
        let part = #"{"id":"p","messageID":"m","type":"text","text":"\#(text)"}"#
        let properties = JSONText(trusted: Array(#"{"part":\#(part),"delta":"\#(text)","runID":"r"}"#.utf8))
        return EngineEvent(type: "message.part.updated", properties: properties)
    }

    @Test(arguments: ["engine", "both"]) func framesOfTextAreJoinedAndSaySo(vocabulary: String) throws {
        _ = try fixture.submit("engine.stream", #"{"run_id":"r","coalesce_ms":10000,"vocabulary":"\#(vocabulary)"}"#)
        try backend.push(Self.piece("a"), Self.piece("b"), Self.piece("c"), .todo, Self.piece("d"), .todo)
        let events = try fixture.nextEvents(0, 10_000)
        let added = vocabulary == "both" ? ["session.response"] : []
        let expected = ["message.part.updated"] + added + ["todo.updated"]
        #expect(events.compactMap { $0["type"]?.string } == expected + expected)
        #expect(events.first?["joined"]?.integer == 3)
        #expect(events.first?.at("frame", "properties", "delta")?.string == "abc")
        #expect(events.allSatisfy { ($0["joined"] == nil) == ($0["seq"]?.integer != 1) }, "alone it is untouched")
        let pieces = events.compactMap { $0.at("properties", "delta")?.string }
        #expect(pieces == (vocabulary == "both" ? ["abc", "d"] : []))
    }

    @Test func streamOfFramesTakesNoMoreThanItWants() throws {
        let arguments = #"{"run_id":"r","coalesce_ms":10000,"vocabulary":"both","$take":1}"#
        _ = try fixture.submit("engine.stream", arguments)
        try backend.push(Self.piece("a"), Self.piece("b"), .todo)
        var types: [String] = []
        while let type = try fixture.nextEvents(1, 10_000).first?["type"]?.string {
            types.append(type)
            if type == "done" { break }
        }
        #expect(types == ["message.part.updated", "done"])
    }

    @Test func streamThatGaveEnoughTextEndsWhenItsTimeIsOver() throws {
        let id = try fixture.submit("engine.stream", #"{"run_id":"r","coalesce_ms":5,"$take":1}"#)
        try backend.push(.delta("a"), .delta("b"))
        #expect(try fixture.wait(id).text == #"{"ok":{"ended":false}}"#)
        let isCancelled = Monitor(false)
        try backend.last().call.whenCancelled { isCancelled.change { $0 = true } }
        #expect(isCancelled.wait(until: Deadline(afterMilliseconds: 10_000), for: { $0 ? true : nil }) == true)
    }

    @Test func endsBecomeResults() throws {
        let outcomes: [(Result<Reply?, Failure>, String)] = [
            (.success(nil), #"{"ok":{"ended":true}}"#),
            (.success(.json(try JSONText(checking: #"{"id":"s"}"#))), #"{"ok":{"id":"s"}}"#),
            (.success(.empty(204)), #"{"ok":null}"#),
        ]
        for (outcome, result) in outcomes {
            _ = try fixture.submit("sessions.get", #"{"session_id":"s"}"#)
            try backend.end(outcome)
            #expect(try fixture.nextEvents().first?["result"]?.text == result)
        }
    }

    @Test func failuresAndRefusalsAreErrors() throws {
        _ = try fixture.submit("sessions.get", #"{"session_id":"s"}"#)
        try backend.end(.failure(Failure(.engineUnavailable, "nobody")))
        let failed = try #require(fixture.nextEvents().first?["result"])
        #expect(failed.errorName == "engine_unavailable")
        #expect(failed.at("error", "op")?.string == "sessions.get")
        _ = try fixture.submit("sessions.get", #"{"session_id":"s"}"#)
        try backend.end(.success(.refusal(404, code: "SESSION_NOT_FOUND", message: "no")))
        let refused = try #require(fixture.nextEvents().first?["result"])
        #expect(refused.errorName == "not_found")
        #expect(refused.at("error", "status")?.integer == 404)
    }

    @Test func replyPastItsLimitIsAnError() throws {
        _ = try fixture.submit("sessions.get", #"{"session_id":"s","$reply_limit_bytes":8}"#)
        try backend.end(.success(.json(try JSONText(checking: #"{"a":"12345"}"#))))
        #expect(try fixture.nextEvents().first?["result"]?.errorName == "limit")
    }

    @Test func theEndLetsGoOfTheCallsClosures() throws {
        _ = try fixture.submit("sessions.get", #"{"session_id":"s"}"#)
        let count = Lock(0)
        let call = try backend.last().call
        call.whenCancelled { count.withLock { $0 += 1 } }
        try backend.end()
        call.cancel()
        #expect(count.withLock { $0 } == 0)
    }
}

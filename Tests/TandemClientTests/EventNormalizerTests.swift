import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct EventNormalizerTests {
    private static func event(_ type: String, _ properties: String, run: String? = nil) throws -> EngineEvent {
        let envelope = run.map {
            EngineEvent.Envelope(eventID: "e", seq: 1, occurredAtMilliseconds: 50, sessionID: "s", runID: $0)
        }
        return EngineEvent(type: type, properties: try JSONText(checking: properties), envelope: envelope)
    }

    private func normalized(_ type: String, _ properties: String) throws -> [String] {
        var normalizer = EventNormalizer(sessionID: nil, runID: nil, now: 9)
        return try normalizer.normalize(Self.event(type, properties)).map { "\($0.type) \($0.properties.text)" }
    }

    @Test(arguments: [
        (
            "session.run.started", #"{"sessionID":"s","startedAtMs":1,"agentID":"a","clientID":null}"#,
            #"run.started {"started_at_ms":1,"agent_id":"a","client_id":null}"#
        ),
        (
            "provider.usage",
            #"{"providerID":"p","modelID":"m","promptTokens":1,"completionTokens":2,"totalTokens":3,"usageSource":"x"}"#,
            #"run.usage {"provider_id":"p","model_id":"m","prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"#
                + #""source":"x"}"#
        ),
        (
            "permission.asked", #"{"requestID":"q","tool":"bash","args":{},"requestedAtMs":1,"expiresAtMs":2}"#,
            #"permission.request {"request_id":"q","tool":"bash","args":{},"requested_at_ms":1,"expires_at_ms":2}"#
        ),
        (
            "permission.replied", #"{"requestID":"q","reply":"once","decidedBy":"me","decidedAtMs":3}"#,
            #"permission.resolved {"request_id":"q","reply":"once","decided_by":"me","decided_at_ms":3}"#
        ),
        ("question.asked", #"{"id":"q","questions":[1]}"#, #"question.request {"request_id":"q","questions":[1]}"#),
        (
            "question.replied", #"{"id":"q","ok":true,"answer":"a"}"#,
            #"question.resolved {"request_id":"q","ok":true,"answer":"a"}"#
        ),
        ("todo.updated", #"{"todos":[{}],"sessionID":"s"}"#, #"todo.updated {"todos":[{}]}"#),
        ("engine.lifecycle.ready", "{}", #"stream.connected {"attempt":1}"#),
        ("session.run.finished", #"{"status":"completed","finishedAtMs":7}"#, #"run.completed {"finished_at_ms":7}"#),
        ("session.run.finished", #"{"status":"cancelled"}"#, #"run.cancelled {"finished_at_ms":null}"#),
        ("session.run.finished", #"{"status":"timeout"}"#, #"run.timeout {"finished_at_ms":null}"#),
        ("session.run.finished", "{}", #"run.completed {"finished_at_ms":null}"#),
        (
            "message.part.updated", #"{"part":{"type":"text","text":"ab"},"delta":"b\n"}"#,
            #"session.response {"delta":"b\n"}"#
        ),
        (
            "message.part.updated", #"{"part":{"type":"text","text":"ab","messageID":"m"}}"#,
            #"session.message {"text":"ab","message_id":"m"}"#
        ),
        ("memory.updated", #"{"a":1}"#, #"engine.memory.updated {"a":1}"#),
        ("nobody.knows", "{}", "engine.nobody.knows {}"),
    ])
    func eventsGetTheirDocumentedForm(type: String, properties: String, expected: String) throws {
        #expect(try normalized(type, properties) == [expected])
    }

    @Test(arguments: [
        ("server.connected", "{}"), ("run.stream.connected", "{}"), ("engine.lifecycle.ready", "{}"),
        ("session.run.started", "{}"), ("nobody.knows", "{}"), ("message.part.updated", "{}"),
        ("message.part.updated", #"{"part":{"type":"text","text":"a"},"delta":"a"}"#),
        ("message.part.updated", #"{"part":{"type":"text","text":"a"}}"#),
        ("message.part.updated", #"{"agent":"build","part":{"type":"text","text":"a"},"delta":"a"}"#),
        ("message.part.updated", #"{"agent":"build","part":{"type":"tool","tool":"t","state":"running"}}"#),
    ])
    func eventsAreCountedAsTheyWouldBeMade(type: String, properties: String) throws {
        let normalizer = EventNormalizer(sessionID: nil, runID: nil, now: 9)
        let count = normalizer.countOfPlain(try Self.event(type, properties))
        #expect(count == (try normalized(type, properties)).count)
    }

    @Test(arguments: ["session.error", "provider.call.iteration.error", "session.run.finished"])
    func whatLaterEventsDependOnIsNotOnlyCounted(type: String) throws {
        let normalizer = EventNormalizer(sessionID: nil, runID: nil, now: 9)
        #expect(normalizer.countOfPlain(try Self.event(type, "{}")) == nil)
    }

    @Test(arguments: ["running", "pending", ""]) func toolUnderWayIsACall(state: String) throws {
        let part = #"{"part":{"type":"tool","id":"c","tool":"bash","args":{"x":1},"state":"\#(state)","result":1}}"#
        #expect(
            try normalized("message.part.updated", part) == [
                #"session.tool_call {"call_id":"c","tool":"bash","args":{"x":1},"state":"\#(state)"}"#
            ]
        )
    }

    @Test(arguments: ["completed", "failed", "denied"]) func toolThatEndedHasAResult(state: String) throws {
        let part = #"{"part":{"type":"tool","id":"c","tool":"bash","args":{},"state":"\#(state)","result":"r"}}"#
        #expect(
            try normalized("message.part.updated", part) == [
                #"session.tool_result {"call_id":"c","tool":"bash","state":"\#(state)","result":"r","error":null}"#
            ]
        )
    }

    @Test(arguments: [
        ("message.part.updated", #"{"part":{"type":"text","text":"hi"},"agent":"build"}"#),
        ("message.part.updated", #"{"agent":"build","part":{"type":"text"},"delta":"x"}"#),
        ("message.part.updated", "{}"), ("server.connected", "{}"), ("run.stream.connected", "{}"),
        ("session.error", #"{"error":{"code":"X"}}"#), ("provider.call.iteration.error", "{}"),
    ])
    func someEventsAreNotShown(type: String, properties: String) throws {
        #expect(try normalized(type, properties).isEmpty)
    }

    @Test func eventsWithoutSessionAndRunBelongToTheStreams() throws {
        var normalizer = EventNormalizer(sessionID: "stream-s", runID: "stream-r", now: 9)
        let first = try #require(normalizer.normalize(Self.event("todo.updated", "{}")).first)
        #expect(first.context == EventContext(sessionID: "stream-s", runID: "stream-r", atMilliseconds: 9))
        let said = try Self.event("todo.updated", #"{"sessionID":"p-s","runID":"p-r"}"#)
        #expect(normalizer.normalize(said).first?.context.sessionID == "p-s")
        #expect(normalizer.normalize(said).first?.context.runID == "p-r")
        let enveloped = try Self.event("todo.updated", #"{"sessionID":"p-s"}"#, run: "e-r")
        #expect(
            normalizer.normalize(enveloped).first?.context
                == EventContext(sessionID: "s", runID: "e-r", atMilliseconds: 50)
        )
    }

    private func failed(_ events: [EngineEvent]) throws -> JSONText {
        var normalizer = EventNormalizer(sessionID: nil, runID: nil, now: 9)
        let last = try #require(events.flatMap { normalizer.normalize($0) }.last)
        #expect(last.type == "run.failed")
        return last.properties
    }

    @Test func failedRunSaysWhatItsErrorSaid() throws {
        let properties = try failed([
            Self.event(
                "session.error",
                #"{"error":{"code":"ENGINE_DISPATCH_FAILED","message":"MODEL_SELECTION_REQUIRED: none"}}"#,
                run: "r"
            ),
            Self.event(
                "session.run.finished",
                #"{"status":"error","finishedAtMs":4,"failureCategory":"runtime"}"#,
                run: "r"
            ),
        ])
        #expect(
            properties.text
                == #"{"finished_at_ms":4,"error":{"name":"model_not_selected","code":"ENGINE_DISPATCH_FAILED","#
                + #""message":"MODEL_SELECTION_REQUIRED: none"},"category":"runtime"}"#
        )
    }

    @Test func categoryHoldsWithoutACode() throws {
        let properties = try failed([
            Self.event("session.run.finished", #"{"status":"error","error":"x","failureCategory":"authentication"}"#)
        ])
        #expect(properties.at("error", "name")?.string == "provider_auth")
        #expect(properties.at("error", "message")?.string == "x")
        #expect(properties.at("error", "code") == .null)
    }

    @Test func failedRunWithoutAWordFailsAllTheSame() throws {
        let properties = try failed([Self.event("session.run.finished", #"{"status":"error"}"#)])
        #expect(properties.at("error", "name")?.string == "engine_error")
        #expect(properties.at("error", "message")?.string == "the run failed")
    }

    @Test func errorOfTheSessionIsTheRunsToo() throws {
        let properties = try failed([
            Self.event("provider.call.iteration.error", #"{"sessionID":"s","errorCode":"AUTHENTICATION_ERROR"}"#),
            Self.event("session.run.finished", #"{"status":"error","sessionID":"s"}"#, run: "r"),
        ])
        #expect(properties.at("error", "name")?.string == "provider_auth")
    }

    @Test func errorOfOneRunIsNotAnothers() throws {
        let properties = try failed([
            Self.event("session.error", #"{"error":{"code":"AUTHENTICATION_ERROR"}}"#, run: "one"),
            Self.event("session.run.finished", #"{"status":"error"}"#, run: "two"),
        ])
        #expect(properties.at("error", "name")?.string == "engine_error")
    }

    @Test func errorsOfARunThatIsOverAreForgotten() throws {
        let properties = try failed([
            Self.event("session.error", #"{"sessionID":"s","error":{"code":"AUTHENTICATION_ERROR"}}"#),
            Self.event("session.error", #"{"error":{"code":"INTERRUPTED"}}"#, run: "one"),
            Self.event("session.run.finished", #"{"status":"completed"}"#, run: "one"),
            Self.event("session.run.finished", #"{"status":"error"}"#, run: "two"),
        ])
        #expect(properties.at("error", "name")?.string == "engine_error")
    }

    @Test func secondEndOfARunIsDropped() throws {
        var normalizer = EventNormalizer(sessionID: nil, runID: nil, now: 9)
        let end = try Self.event("session.run.finished", "{}", run: "r")
        #expect(normalizer.normalize(end).count == 1)
        #expect(normalizer.normalize(end).isEmpty)
        #expect(try normalizer.normalize(Self.event("session.run.finished", "{}", run: "other")).count == 1)
    }
}

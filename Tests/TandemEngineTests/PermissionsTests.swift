import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct PermissionsTests {
    /// An engine whose model calls a tool that asks in each of its runs.
    private struct Asking {
        let host = FakeHost(tools: [.named("write", asks: true)]) { _ in .success(JSONText(string: "ok")) }
        let model: ScriptedModel
        let fixture: EngineFixture
        let session: String
        let events: Recorder

        init(rules: String = "[]", rounds: Int = 1) throws {
            let call = ToolRunsTests.calls(("write", #"{"path":"a"}"#))
            model = ScriptedModel(answers: (0..<rounds).flatMap { _ in [call, ToolRunsTests.done] })
            let host = host
            fixture = try EngineFixture(model) { $0.host = host }
            session = try fixture.session(#"{"permission":\#(rules)}"#)
            (events, _) = fixture.stream(session: session)
        }

        var calls: Int { host.state.withLock { $0.asked.count } }

        func prompt() throws { _ = try fixture.prompt(session) }

        /// Waits for a request of that number; its id.
        func asked(_ count: Int = 1) throws -> String {
            let events = try #require(events.wait(for: "permission.asked", count: count))
            let asked = events.last { $0.type == "permission.asked" }
            return try #require(asked?.properties["requestID"]?.string)
        }

        func reply(_ id: String, _ word: String) throws -> Reply { try reply(id, body: #"{"reply":"\#(word)"}"#) }

        func reply(_ id: String, body: String?, headers: [Request.Field] = []) throws -> Reply {
            var request = Request(
                .permissionsReply,
                path: [Request.Field("request_id", id)],
                body: body.flatMap { try? JSONText(checking: $0) }
            )
            request.headers = headers
            return try fixture.reply(request)
        }

        func decide(_ operation: OperationNumber, _ session: String, _ id: String) throws -> Reply {
            try fixture.reply(
                Request(operation, path: [Request.Field("session_id", session), Request.Field("tool_call_id", id)])
            )
        }

        func requests() throws -> [JSONText] {
            try fixture.call(.permissionsList).json?["requests"]?.elements ?? []
        }

        /// The states of the parts, after so many runs have ended.
        func states(_ runs: Int = 1) throws -> [String] {
            try #require(events.wait(for: finished, count: runs)).compactMap {
                $0.properties.at("part", "state")?.string
            }
        }
    }

    @Test func onceIsOnce() throws {
        let asking = try Asking(rounds: 2)
        try asking.prompt()
        let id = try asking.asked()
        #expect(asking.calls == 0)
        let reply = try asking.reply(id, "once")
        #expect(
            reply.json?.text
                == #"{"ok":true,"requestID":"\#(id)","reply":"once","status":"applied","persistedRule":false,"standingRuleID":null}"#
        )
        #expect(try asking.states() == ["pending", "pending", "running", "completed"])
        #expect(asking.calls == 1)
        try asking.prompt()
        #expect(try asking.asked(2) != id)
    }

    @Test(arguments: ["always", "allow"]) func alwaysIsARuleOfTheSession(word: String) throws {
        let asking = try Asking(rounds: 3)
        try asking.prompt()
        let id = try asking.asked()
        let reply = try asking.reply(id, word)
        #expect(reply.json?["persistedRule"]?.boolean == true)
        _ = try asking.states()
        try asking.prompt()
        #expect(try asking.states(2).suffix(3) == ["pending", "running", "completed"])
        #expect(asking.calls == 2)
        let list = try asking.fixture.call(.permissionsList).json
        let rule = list?["rules"]?.elements.first
        #expect(rule?["id"] == reply.json?["standingRuleID"])
        #expect(rule?["permission"]?.string == "write" && rule?["sessionID"]?.string == asking.session)
        #expect(rule?["sourceRequestID"]?.string == id)
        let other = try asking.fixture.session()
        let (events, _) = asking.fixture.stream(session: other)
        _ = try asking.fixture.prompt(other)
        #expect(events.wait(for: "permission.asked") != nil)
    }

    @Test(arguments: ["reject", "deny"]) func aRefusalIsForThisCallOnly(word: String) throws {
        let asking = try Asking(rounds: 2)
        try asking.prompt()
        let reply = try asking.reply(try asking.asked(), word)
        #expect(reply.json?["persistedRule"]?.boolean == false)
        #expect(try asking.states() == ["pending", "pending", "denied"])
        #expect(asking.calls == 0)
        #expect(asking.model.request(1)?.request.messages.last?.content == "Error: the user does not allow this call")
        try asking.prompt()
        _ = try asking.reply(try asking.asked(2), "once")
        #expect(try asking.states(2).last == "completed")
    }

    @Test func theRequestSaysWhatIsAskedAndHowLong() throws {
        let asking = try Asking()
        try asking.prompt()
        let id = try asking.asked()
        let request = try #require(try asking.requests().first)
        #expect(request["id"]?.string == id)
        #expect(request["status"]?.string == "pending")
        #expect(request["tool"]?.string == "write")
        #expect(request["args"]?.text == #"{"path":"a"}"#)
        let events = try #require(asking.events.wait(for: "permission.asked"))
        let started = try #require(
            events.first { $0.type == "session.run.started" }?.properties["startedAtMs"]?.integer
        )
        let asked = try #require(events.first { $0.type == "permission.asked" }?.properties)
        #expect(asked["expiresAtMs"]?.integer == started + 600_000)
        #expect(asked["callID"]?.string == "call_0")
        _ = try asking.reply(id, "once")
        let after = try asking.fixture.call(.permissionsList).json
        #expect(after?["requests"]?.elements.first?["status"]?.string == "once")
        #expect(after?["decisions"]?.elements.first?["decision"]?.string == "once")
    }

    @Test func badRepliesAreRefusedAndTheRequestWaitsOn() throws {
        let asking = try Asking()
        try asking.prompt()
        let id = try asking.asked()
        let maybe = try asking.reply(id, "maybe")
        #expect(maybe.status == 400 && maybe.json?["code"]?.string == "APPROVAL_REPLY_INVALID")
        #expect(try asking.reply(id, body: "{}").status == 422)
        #expect(try asking.reply(id, body: nil).status == 415)
        let agent = try asking.reply(
            id,
            body: #"{"reply":"once"}"#,
            headers: [Request.Field("X-Tandem-Agent-Id", "bot")]
        )
        #expect(agent.status == 403 && agent.json?["code"]?.string == "TENANT_CONTEXT_DENIED")
        let unknown = try asking.reply("nope", "once")
        #expect(unknown.status == 404 && unknown.json?["code"]?.string == "APPROVAL_REQUEST_NOT_FOUND")
        #expect(try asking.requests().first?["status"]?.string == "pending")
        #expect(try asking.reply(id, "once").status == 200)
        let twice = try asking.reply(id, "once")
        #expect(twice.status == 409 && twice.json?["code"]?.string == "APPROVAL_REPLY_INVALID")
    }

    @Test func aCallIsApprovedOrDeniedUnderItsSession() throws {
        let asking = try Asking(rounds: 2)
        try asking.prompt()
        let id = try asking.asked()
        #expect(try asking.decide(.permissionsDenyToolCall, "other", id).status == 404)
        #expect(try asking.decide(.permissionsDenyToolCall, asking.session, id).json?.text == #"{"ok":true}"#)
        #expect(try asking.states().last == "denied")
        try asking.prompt()
        #expect(try asking.decide(.permissionsApproveToolCall, asking.session, try asking.asked(2)).status == 200)
        #expect(try asking.states(2).last == "completed")
    }

    @Test(arguments: [
        (#"[{"permission":"write","action":"allow"}]"#, ["pending", "running", "completed"]),
        (#"[{"permission":"wr*","action":"always"}]"#, ["pending", "running", "completed"]),
        (#"[{"permission":"*","action":"deny"},{"permission":"write","action":"allow"}]"#, ["pending", "denied"]),
    ]) func theRulesOfASessionDecideBeforeAnybodyIsAsked(rules: String, states: [String]) throws {
        let asking = try Asking(rules: rules)
        try asking.prompt()
        #expect(try asking.states() == states)
        #expect(try asking.requests().isEmpty)
    }

    @Test func aRuleMayBeAddedLater() throws {
        let asking = try Asking()
        let body = #"{"permission":[{"permission":"write","action":"deny"}]}"#
        #expect(try asking.fixture.call(.sessionsUpdate, asking.session, body).status == 200)
        try asking.prompt()
        #expect(try asking.states() == ["pending", "denied"])
    }

    @Test func aToolThatDoesNotAskMayBeMadeToAsk() throws {
        let host = FakeHost(tools: [.named("write")])
        let model = ScriptedModel(answers: [ToolRunsTests.calls(("write", "{}")), ToolRunsTests.done])
        let fixture = try EngineFixture(model) { $0.host = host }
        let session = try fixture.session(#"{"permission":[{"permission":"write","action":"ask"}]}"#)
        let (events, _) = fixture.stream(session: session)
        _ = try fixture.prompt(session)
        #expect(events.wait(for: "permission.asked") != nil)
    }

    @Test func cancellingARunSettlesWhatItWaitsFor() throws {
        let asking = try Asking()
        try asking.prompt()
        let id = try asking.asked()
        _ = try asking.fixture.call(.sessionsAbort, asking.session)
        #expect(try asking.states() == ["pending", "pending", "failed"])
        #expect(try asking.requests().first?["status"]?.string == "cancelled")
        #expect(try asking.reply(id, "once").status == 409)
        #expect(asking.calls == 0)
    }

    @Test func anAnswerIsInTheLogOfItsRun() throws {
        let asking = try Asking()
        try asking.prompt()
        _ = try asking.reply(try asking.asked(), "once")
        let all = try #require(asking.events.wait(for: finished))
        let run = all.last?.envelope?.runID
        for type in ["permission.asked", "permission.replied"] {
            #expect(all.first { $0.type == type }?.envelope?.runID == run)
        }
    }
}

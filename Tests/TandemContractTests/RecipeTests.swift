import TandemJSON
import Testing

@testable import TandemContract

@Suite struct RecipeTests {
    private func prepared(_ name: String, _ arguments: String) throws -> Request {
        var plan = try plan(name, arguments)
        try Recipe.prepare(&plan, try operation(name)) { "made" }
        return plan.request
    }

    private func answer(_ text: String) throws -> JSONText {
        try json(
            #"[{"info":{"role":"user"},"parts":[{"type":"text","text":"hi"}]},"#
                + #"{"info":{"role":"assistant"},"parts":[{"type":"text","text":\#(text)}]}]"#
        )
    }

    private func finished(_ result: JSONText, _ name: String = "sessions.prompt_sync") throws -> Result<
        JSONText, Failure
    > {
        Recipe.finish(result, try operation(name), now: 0)
    }

    @Test func promptGetsAKey() throws {
        let request = try prepared("sessions.prompt_async", #"{"session_id":"s","prompt":"hi"}"#)
        #expect(request.header("idempotency-key") == "made")
    }

    @Test func theCallersKeyStays() throws {
        let arguments = #"{"session_id":"s","prompt":"hi","idempotency_key":"mine"}"#
        let request = try prepared("sessions.prompt_async", arguments)
        #expect(request.headers == [.init("Idempotency-Key", "mine")])
    }

    @Test func otherOperationsGetNone() throws {
        #expect(try prepared("sessions.create", "{}").headers.isEmpty)
        #expect(try prepared("sessions.prompt_sync", #"{"session_id":"s","prompt":"hi"}"#).headers.isEmpty)
    }

    @Test func messagesBecomeTextAndMessages() throws {
        let messages = try answer(#""hello""#)
        let result = try finished(messages).get()
        #expect(result["text"]?.string == "hello")
        #expect(result["messages"] == messages)
    }

    @Test func textPartsOfTheLastAnswerAreJoined() throws {
        let messages = try json(
            #"[{"info":{"role":"assistant"},"parts":[{"text":"old"}]},"#
                + #"{"info":{"role":"assistant"},"parts":[{"text":"a"},{"tool":"x"},{"text":"b\n"}]},"#
                + #"{"info":{"role":"user"},"parts":[{"text":"c"}]}]"#
        )
        #expect(try finished(messages).get()["text"]?.string == "ab\n")
    }

    @Test(arguments: ["[]", #"[{"info":{"role":"user"}}]"#, "[1]"]) func withoutAnAnswerTheTextIsEmpty(text: String)
        throws
    {
        #expect(try finished(json(text)).get()["text"]?.string == "")
    }

    @Test(
        arguments: [
            (#""ENGINE_ERROR: PROVIDER_REQUEST_FAILED: it said: no""#, .providerError, "it said: no"),
            (
                #""ENGINE_ERROR: ENGINE_DISPATCH_FAILED: MODEL_SELECTION_REQUIRED: x""#, .modelNotSelected,
                "MODEL_SELECTION_REQUIRED: x"
            ),
            (#""ENGINE_ERROR: NOBODY_KNOWS""#, .engineError, "NOBODY_KNOWS"),
            (#""ENGINE_ERROR: ""#, .engineError, ""),
        ] as [(String, FailureName, String)]
    )
    func failedRunIsAFailure(text: String, name: FailureName, message: String) throws {
        let failure = try #require(throws: Failure.self) { _ = try finished(answer(text)).get() }
        #expect(failure.name == name)
        #expect(failure.message == message)
        #expect(failure.detail?["message"]?.string == message)
    }

    @Test func theMarkCountsAtTheBeginningOnly() throws {
        #expect(try finished(answer(#""not ENGINE_ERROR: X: y""#)).get()["text"]?.string == "not ENGINE_ERROR: X: y")
    }

    @Test func otherResultsStay() throws {
        let messages = try answer(#""x""#)
        #expect(try finished(messages, "sessions.messages").get() == messages)
    }

    @Test(arguments: [
        (#"{"reply":"a","text":"b"}"#, #"{"reply":"a","text":"a"}"#),
        (#"{"reply":"","output":"c"}"#, #"{"reply":"","output":"c","text":"c"}"#),
        (#"{"a":1}"#, #"{"a":1,"text":""}"#), (#"{"text":"t","more":1}"#, #"{"text":"t","more":1}"#),
    ])
    func objectSaysItsText(body: String, result: String) throws {
        #expect(try finished(json(body)).get().text == result)
    }

    @Test func pendingRequestsStandAloneAndOldestFirst() throws {
        let requests = #"""
            {"requests":[{"id":"1","status":"pending","requestedAtMs":5,"expiresAtMs":11},
            {"id":"2","status":"once","requestedAtMs":1,"expiresAtMs":99},
            {"id":"3","status":"pending","requestedAtMs":4},{"id":"4","status":"pending","expiresAtMs":10},
            {"id":"5","status":"runtime_restarted"}],"rules":[],"decisions":[]}
            """#
        let result = try Recipe.finish(json(requests), operation("permissions.list"), now: 10).get()
        #expect((result["requests"]?.elements ?? []).map { $0["id"]?.string } == ["3", "1"])
        #expect((result["past_requests"]?.elements ?? []).map { $0["id"]?.string } == ["2", "4", "5"])
        #expect(result["rules"]?.text == "[]")
        #expect(try Recipe.finish(json("[1]"), operation("permissions.list"), now: 0).get().text == "[1]")
    }

    @Test func conflictThatTellsTheReadinessIsTheResult() throws {
        let readiness = try operation("capabilities.readiness")
        let body = try json(#"{"readiness":{"runnable":false}}"#)
        let plan = try plan("capabilities.readiness", "{}")
        #expect(try plan.result(of: .json(body, status: 409), readiness, now: 0).get() == body)
        for (reply, options) in [
            (Reply.json(try json(#"{"error":"x"}"#), status: 409), plan.options),
            (.json(body, status: 400), plan.options),
            (.json(body, status: 409), strict),
        ] {
            var other = plan
            other.options = options
            #expect(throws: Failure.self) { _ = try other.result(of: reply, readiness, now: 0).get() }
        }
    }

    @Test(arguments: ["sessions.revert", "sessions.unrevert", "context_runs.validate_lease"])
    func noMayBeAnAnswer(name: String) throws {
        let reply = Reply.json(try json(#"{"ok":false,"error":"no"}"#))
        var plan = try Plan.empty(operation(name))
        #expect(try plan.result(of: reply, operation(name), now: 0).get().text == #"{"ok":false,"error":"no"}"#)
        plan.options = strict
        #expect(throws: Failure.self) { _ = try plan.result(of: reply, operation(name), now: 0).get() }
    }

    @Test func applyingAWinnerIsARouteOfItsExperiment() throws {
        let request = try prepared(
            "optimizations.action",
            #"{"optimization_id":"o","action":"apply","experiment_id":"e","reason":"r"}"#
        )
        #expect(request.operation == (try operation("optimizations.apply_winner").number))
        #expect(request.path == [.init("optimization_id", "o"), .init("experiment_id", "e")])
        #expect(request.body == nil)
    }

    @Test(arguments: ["", #","experiment_id":"""#, #","experiment_id":7"#, #","experiment_id":null"#])
    func applyingNeedsAnExperiment(member: String) throws {
        let failure = try #require(throws: Failure.self) {
            _ = try prepared("optimizations.action", #"{"optimization_id":"o","action":"apply""# + member + "}")
        }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains("experiment_id"))
    }

    @Test(arguments: [
        (
            #"{"optimization_id":"o","action":"approve","experiment_id":"e"}"#,
            #"{"action":"approve_winner","experiment_id":"e"}"#
        ),
        (#"{"optimization_id":"o","action":"apply","$strict":true}"#, #"{"action":"apply"}"#),
        (#"{"optimization_id":"o","action":"generate_candidate"}"#, #"{"action":"generate_candidate"}"#),
    ])
    func otherActionsAreSent(arguments: String, body: String) throws {
        let request = try prepared("optimizations.action", arguments)
        #expect(request.operation == (try operation("optimizations.action").number))
        #expect(request.body?.canonical == body)
    }

    private static let namesakes: [(String, String, String)] = [
        ("bug_monitor.get_config", "{}", "incident_monitor.get_config"),
        ("bug_monitor.patch_config", #"{"enabled":true}"#, "incident_monitor.patch_config"),
        ("bug_monitor.report", #"{"title":"t"}"#, "incident_monitor.report"),
        ("incident_monitor.list_routes", "{}", "incident_monitor.get_config"),
        ("resources.write", #"{"key":"run/1","value":1}"#, "resources.put_key"),
        ("resources.delete", #"{"key":"run/1"}"#, "resources.delete_key"),
    ]

    @Test(arguments: namesakes) func namesakeMakesTheRequest(name: String, arguments: String, other: String) throws {
        #expect(try plan(name, arguments).request.operation == (try operation(other).number))
        #expect(try plan(name, arguments).request.body == (try plan(other, arguments).request.body))
        let failure = try refusal(name, arguments.dropLast() + (arguments == "{}" ? "" : ",") + #""$nobody":1}"#)
        #expect(failure.message.hasPrefix(name + " has no argument"))
    }

    @Test func reportsAndConfigurationsOfTheFormerNameAreWrapped() throws {
        #expect(try plan("bug_monitor.report", #"{"title":"t"}"#).request.body?.text == #"{"report":{"title":"t"}}"#)
        let body = try plan("bug_monitor.patch_config", #"{"enabled":true}"#).request.body
        #expect(body?.text == #"{"incident_monitor":{"enabled":true}}"#)
        let reply = Reply.json(try json(#"{"incident_monitor":{"enabled":true}}"#))
        let result = try plan("bug_monitor.get_config", "{}").result(
            of: reply,
            operation("bug_monitor.get_config"),
            now: 0
        )
        #expect(try result.get().text == #"{"incident_monitor":{"enabled":true},"bug_monitor":{"enabled":true}}"#)
    }
}

extension Plan {
    /// A plan with whatever the operation's path needs.
    fileprivate static func empty(_ operation: TandemContract.Operation) throws -> Plan {
        let names = operation.arguments.filter { $0.place == .path }.map(\.name)
        return try Plan(operation, JSONWriter.object { writer in for name in names { writer.member(name, "x") } })
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct FailureReplyTests {
    private func failure(_ reply: Reply, of name: String = "sessions.get") throws -> Failure? {
        Failure(reply, of: try operation(name))
    }

    private func failure(_ status: Int, _ body: String, of name: String = "sessions.get") throws -> Failure {
        try #require(try failure(.json(json(body), status: status), of: name))
    }

    /// A status that no row of the table names.
    private static let otherStatus = 418

    private static let rows: [(key: String, value: JSONText)] =
        TandemContract.Operation.describe("errors")?.members ?? []

    @Test(arguments: rows.map(\.key)) func everyCodeOfTheTableGivesItsName(name: String) throws {
        let row = try #require(FailureReplyTests.rows.first { $0.key == name }).value
        for rule in row["engine_codes"]?.elements ?? [] {
            let pattern = rule.string ?? rule["code"]?.string
            let code = pattern.map { $0.hasPrefix("*") ? "X" + $0.dropFirst() : $0 }
            let body = JSONWriter.object { writer in
                writer.optional("code", code)
                if let member = rule["has"]?.string { writer.member(member, 1) }
                writer.member("error", (rule["message_starts"]?.string ?? "") + " said")
            }
            let isEnterprise = rule["edition"]?.string == "enterprise"
            let status = Int(rule["status"]?.integer ?? Int64(FailureReplyTests.otherStatus))
            let found = try failure(
                status,
                body.text,
                of: isEnterprise ? "automations_v2.restore" : "sessions.get"
            )
            #expect(found.name.rawValue == name, "\(rule.text)")
            #expect(found.status == status)
        }
    }

    @Test(arguments: rows.map(\.key)) func everyStatusOfTheTableGivesItsName(name: String) throws {
        let row = try #require(FailureReplyTests.rows.first { $0.key == name }).value
        for status in (row["statuses"]?.elements ?? []).compactMap(\.integer) {
            let body = status == 200 ? #"{"ok":false}"# : "{}"
            #expect(try failure(Int(status), body, of: "auth.set_token").name.rawValue == name, "\(status)")
        }
    }

    @Test(arguments: rows.map(\.key)) func everyCategoryOfTheTableGivesItsName(name: String) throws {
        let row = try #require(FailureReplyTests.rows.first { $0.key == name }).value
        for category in (row["run_categories"]?.elements ?? []).compactMap(\.string) {
            #expect(Failure.name(runCode: nil, message: "", category: category).rawValue == name)
            #expect(Failure.name(runCode: "NOBODY_KNOWS", message: "", category: category).rawValue == name)
        }
    }

    @Test(arguments: [
        (#"{"error":"said","message":"other","reason":"third"}"#, "said"),
        (#"{"error":{"message":"said","code":"X"}}"#, "said"),
        (#"{"code":"TOOL_DISPATCH_DENIED","outcome":"ask","reason":"a rule asks first"}"#, "a rule asks first"),
        (#"{"ok":false,"pending":true,"name":"n","message":"sign in first"}"#, "sign in first"),
        (#"{"error":"","code":"CODE"}"#, "CODE"), (#"{"error":5,"code":"CODE"}"#, "CODE"),
    ]) func messageIsWhatTheEngineSays(body: String, message: String) throws {
        #expect(try failure(403, body).message == message)
    }

    @Test func conditionGoesBeforePlainCode() throws {
        let body = #"{"code":"ENGINE_DISPATCH_FAILED","error":"MODEL_SELECTION_REQUIRED: none"}"#
        #expect(try failure(500, body).name == .modelNotSelected)
        #expect(try failure(500, #"{"code":"ENGINE_DISPATCH_FAILED","error":"x"}"#).name == .engineError)
    }

    @Test func activeRunTellsABusySessionFromAUsedKey() throws {
        let busy = #"{"code":"SESSION_RUN_CONFLICT","error":"busy","activeRun":{"runID":"r"},"retryable":true}"#
        #expect(try failure(409, busy).name == .runConflict)
        #expect(try failure(409, busy).detail?.at("activeRun", "runID")?.string == "r")
        #expect(try failure(409, #"{"code":"SESSION_RUN_CONFLICT"}"#).name == .idempotencyConflict)
    }

    @Test func plainCodeGoesBeforePattern() throws {
        // It matches *_FAILED-like patterns as well as a name of its own.
        #expect(try failure(400, #"{"code":"PERSISTENCE_FAILED"}"#).name == .engineError)
        #expect(try failure(404, #"{"code":"VALIDATION_FAILED"}"#).name == .validationFailed)
    }

    @Test func patternGoesBeforeStatus() throws {
        #expect(try failure(409, #"{"code":"MISSION_NOT_FOUND"}"#).name == .notFound)
        #expect(try failure(500, #"{"code":"goal_not_found"}"#).name == .notFound)
        #expect(try failure(409, #"{"code":"GOAL_IDEMPOTENCY_CONFLICT"}"#).name == .idempotencyConflict)
    }

    @Test func statusHoldsWhereNoCodeIsKnown() throws {
        #expect(try failure(404, #"{"code":"NOBODY_KNOWS"}"#).name == .notFound)
        #expect(try failure(418, #"{"code":"NOBODY_KNOWS"}"#).name == .engineError)
        #expect(try failure(503, "{}").name == .engineUnavailable)
    }

    @Test func codeWithAConditionOnTheStatusNeedsIt() throws {
        #expect(try failure(409, #"{"code":"APPROVAL_REPLY_INVALID"}"#).name == .permissionExpired)
        #expect(try failure(400, #"{"code":"APPROVAL_REPLY_INVALID"}"#).name == .validationFailed)
    }

    @Test func missingRouteOfAnotherEditionIsNotSupported() throws {
        #expect(try failure(404, "{}", of: "automations_v2.restore").name == .notSupported)
        #expect(try failure(404, "{}", of: "automations_v2.get").name == .notFound)
    }

    @Test(arguments: [
        #"{"ok":false}"#, #"{"error":"no"}"#, #"{"ok":false,"error":"no"}"#, #"{"ok":true,"error":"no"}"#,
    ])
    func operationThatRefusesWithStatus200Fails(body: String) throws {
        let failure = try failure(200, body, of: "auth.set_token")
        #expect(failure.name == .refused)
        #expect(failure.status == 200)
        #expect(failure.detail?.text == body)
    }

    @Test func codeOfARefusalWithStatus200Holds() throws {
        #expect(try failure(200, #"{"ok":false,"code":"AUTH_REQUIRED"}"#, of: "auth.set_token").name == .unauthorized)
    }

    @Test(arguments: [#"{"ok":true}"#, #"{"error":null}"#, #"{"error":{"a":1}}"#, #"{"ok":"false"}"#, "[]", "null"])
    func whatSaysNoRefusalIsNone(body: String) throws {
        #expect(try failure(.json(json(body)), of: "auth.set_token") == nil)
    }

    @Test func noIsARefusalOfEveryOperation() throws {
        #expect(try failure(200, #"{"ok":false,"why":"x"}"#, of: "sessions.get").name == .refused)
        #expect(try failure(.json(json(#"{"ok":true}"#)), of: "sessions.get") == nil)
    }

    @Test func textErrorIsNoRefusalElsewhereAndNoMayBeAnAnswer() throws {
        #expect(try failure(.json(json(#"{"error":"no"}"#))) == nil)
        #expect(try failure(.json(json(#"{"ok":false}"#)), of: "context_runs.validate_lease") == nil)
    }

    @Test func textBodyIsTheMessage() throws {
        let failure = try #require(try failure(Reply(status: 422, body: .text("missing field `mission`"))))
        #expect(failure.name == .validationFailed)
        #expect(failure.message == "missing field `mission`")
        #expect(failure.detail == nil)
    }

    @Test(arguments: [Reply.Body.none, .text(""), .bytes([1])]) func emptyBodyGetsAMessage(body: Reply.Body) throws {
        let failure = try #require(try failure(Reply(status: 401, body: body)))
        #expect(failure.name == .unauthorized)
        #expect(failure.message == "sessions.get: The token is missing or wrong. (status 401)")
    }

    @Test(arguments: [
        (#"{"error":"said"}"#, "said"), (#"{"error":{"message":"inner"}}"#, "inner"), (#"{"code":"X_Y"}"#, "X_Y"),
        (#"{"error":"said","code":"X_Y"}"#, "said"),
    ])
    func messageIsWhatTheEngineSaid(body: String, message: String) throws {
        #expect(try failure(400, body).message == message)
    }

    @Test func theEnginesWordOnRetryingWins() throws {
        #expect(try failure(503, #"{"retryable":false}"#).isRetryable == false)
        #expect(try failure(503, "{}").isRetryable)
        #expect(try failure(400, #"{"retryable":true}"#).isRetryable)
        #expect(try !failure(400, "{}").isRetryable)
    }

    @Test(arguments: [200, 201, 204, 302, 399]) func otherStatusIsNoRefusal(status: Int) throws {
        #expect(try failure(.empty(status)) == nil)
    }

    @Test(
        arguments: [
            ("ENGINE_DISPATCH_FAILED", "MODEL_SELECTION_REQUIRED: choose one", nil, .modelNotSelected),
            ("MODEL_SELECTION_REQUIRED", "", nil, .modelNotSelected),
            ("ENGINE_DISPATCH_FAILED", "other", "provider", .providerError),
            ("INTERRUPTED", "", "runtime", .interrupted),
            ("AUTHENTICATION_ERROR", "", "provider", .providerAuth),
            (nil, "", "user_cancelled", .cancelled),
            (nil, "", "nobody_knows", .engineError),
            (nil, "", nil, .engineError),
            ("NOBODY_KNOWS", "", nil, .engineError),
        ] as [(String?, String, String?, FailureName)]
    )
    func failedRunGetsAName(code: String?, message: String, category: String?, name: FailureName) {
        #expect(Failure.name(runCode: code, message: message, category: category) == name)
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct PlanTests {
    @Test func argumentsGoToPathQueryHeaderAndBody() throws {
        let request = try plan(
            "sessions.prompt_async",
            #"{"session_id":"s/1","idempotency_key":"k","prompt":[],"agent":"build","tool_mode":"none"}"#
        ).request
        #expect(request.path == [.init("session_id", "s/1")])
        #expect(request.query == [.init("return", "run")])
        #expect(request.headers == [.init("Idempotency-Key", "k")])
        #expect(request.body?.text == #"{"parts":[],"agent":"build","toolMode":"none"}"#)
        #expect(request.operation == (try operation("sessions.prompt_async").number))
    }

    @Test(arguments: [
        ("3", "3"), ("true", "true"), ("false", "false"), (#""a b&c""#, "a b&c"), ("1.5", "1.5"), (#""""#, ""),
    ])
    func queryValuesBecomeText(value: String, text: String) throws {
        #expect(try plan("sessions.list", #"{"q":\#(value)}"#).request.query == [.init("q", text)])
    }

    @Test func nullInAQueryIsLeftOut() throws {
        let request = try plan("sessions.list", #"{"q":null,"page":2}"#).request
        #expect(request.query == [.init("page", "2")])
        #expect(request.body == nil)
    }

    @Test func nullInABodyIsSent() throws {
        #expect(try plan("sessions.create", #"{"title":null}"#).request.body?.text == #"{"title":null}"#)
    }

    @Test func nullHeaderIsLeftOut() throws {
        let arguments = #"{"session_id":"s","prompt":[],"client_id":null}"#
        #expect(try plan("sessions.prompt_async", arguments).request.headers.isEmpty)
    }

    @Test func unknownArgumentListsTheKnownOnes() throws {
        let failure = try refusal("sessions.update", #"{"session_id":"s","titel":"x"}"#)
        #expect(failure.name == .unknownArgument)
        #expect(
            failure.message
                == "sessions.update has no argument titel; it has: archived, permission, session_id, title"
        )
        #expect(failure.detail?["argument"]?.string == "titel")
        #expect(
            failure.detail?["known"]?.elements.compactMap(\.string) == [
                "archived", "permission", "session_id", "title",
            ]
        )
    }

    @Test func operationWithoutArgumentsSaysNone() throws {
        let failure = try refusal("engine.health", #"{"verbose":true}"#)
        #expect(failure.message.hasSuffix("it has: none"))
        #expect(failure.detail?["known"] == .emptyArray)
    }

    @Test func constantsAreNotAmongTheKnownArguments() throws {
        let failure = try refusal("sessions.archive", #"{"session_id":"s","x":1}"#)
        #expect(failure.detail?["known"]?.text == #"["session_id"]"#)
    }

    @Test func dollarNamesThatAreNoOptionsAreUnknown() throws {
        #expect(try refusal("sessions.list", #"{"$tak":1}"#).name == .unknownArgument)
        #expect(try refusal("config.patch", #"{"$":1}"#).name == .unknownArgument)
        let known = try refusal("sessions.list", #"{"$tak":1}"#).detail?["known"]?.elements.compactMap(\.string)
        #expect(known?.contains("$take") == true)
        #expect(known?.allSatisfy { $0.hasPrefix("$") } == true)
    }

    @Test(arguments: ["parent_id", "parentID"]) func allNamesOfAnArgumentAreTaken(name: String) throws {
        let body = try plan("sessions.create", #"{"\#(name)":"p"}"#).request.body
        #expect(body?.text == #"{"parent_id":"p"}"#)
    }

    @Test(arguments: ["prompt", "parts"]) func wireNamesAreTaken(name: String) throws {
        let arguments = #"{"session_id":"s","\#(name)":[1]}"#
        #expect(try plan("sessions.prompt_sync", arguments).request.body?.text == #"{"parts":[1]}"#)
    }

    @Test func theSameArgumentUnderTwoNamesIsRefused() throws {
        let failure = try refusal("sessions.create", #"{"parent_id":"p","parentID":"q"}"#)
        #expect(failure.name == .unknownArgument)
        #expect(failure.detail?["argument"]?.string == "parentID")
    }

    @Test func constantIsSentAndMayBeSaidAgain() throws {
        for arguments in [#"{"session_id":"s"}"#, #"{"session_id":"s","archived":true}"#] {
            #expect(try plan("sessions.archive", arguments).request.body?.text == #"{"archived":true}"#)
        }
    }

    @Test func anotherValueForAConstantIsRefused() throws {
        let failure = try refusal("sessions.archive", #"{"session_id":"s","archived":false}"#)
        #expect(failure.name == .invalidArgument)
        #expect(failure.message == "archived of sessions.archive is always true")
    }

    @Test(arguments: [#"{}"#, #"{"session_id":""}"#, #"{"session_id":null}"#])
    func missingOrEmptyPathArgumentIsRefused(arguments: String) throws {
        let failure = try refusal("sessions.get", arguments)
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains("session_id"))
    }

    @Test func numberInAPathBecomesText() throws {
        #expect(try plan("sessions.get", #"{"session_id":7}"#).request.path("session_id") == "7")
    }

    @Test(arguments: ["[]", "null", "1", #""x""#, "true"]) func argumentsHaveToBeAnObject(text: String) throws {
        #expect(try refusal("sessions.list", text).name == .invalidArgument)
    }

    @Test func requiredBodyIsAtLeastAnEmptyObject() throws {
        #expect(try plan("sessions.create", "{}").request.body == .emptyObject)
        #expect(try plan("sessions.cancel_run", #"{"session_id":"s","run_id":"r"}"#).request.body == nil)
    }

    @Test func dollarBodyIsTheWholeBody() throws {
        #expect(try plan("sessions.create", #"{"$body":{"any":[1]}}"#).request.body?.text == #"{"any":[1]}"#)
        #expect(try plan("config.patch", #"{"$body":[1]}"#).request.body?.text == "[1]")
    }

    @Test(arguments: [
        ("sessions.create", #"{"title":"t","directory":".","$body":{}}"#, ["title", "directory"]),
        ("sessions.create", #"{"workspaceRoot":"/","$body":{"title":"t"}}"#, ["workspaceRoot"]),
        ("config.patch", #"{"a":1,"$body":{"b":2}}"#, ["a"]),
        ("channels.put", #"{"channel":"slack","workspace_id":"w","$body":{}}"#, ["workspace_id"]),
        ("missions.apply_event", #"{"mission_id":"m","type":"x","$body":{"type":"y"}}"#, ["type"]),
    ]) func fieldsBesideTheWholeBodyAreNamed(name: String, arguments: String, fields: [String]) throws {
        let failure = try refusal(name, arguments)
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.hasSuffix("beside $body: \(fields.joined(separator: ", "))"))
        #expect(failure.detail?["arguments"]?.elements.compactMap(\.string) == fields)
    }

    @Test func argumentsOfOtherPlacesStandBesideTheWholeBody() throws {
        let arguments = #"{"session_id":"s","idempotency_key":"k","$body":{"parts":[]}}"#
        let request = try plan("sessions.prompt_async", arguments).request
        #expect(request.path == [.init("session_id", "s")])
        #expect(request.headers == [.init("Idempotency-Key", "k")])
        #expect(request.body?.text == #"{"parts":[]}"#)
    }

    @Test func payloadIsTheCallersObject() throws {
        let body = try plan("config.patch", #"{"a":{"b":null},"c":[1]}"#).request.body
        #expect(body?.text == #"{"a":{"b":null},"c":[1]}"#)
    }

    @Test func namesInsideAPayloadBecomeTheEngines() throws {
        let arguments = #"{"channel":"slack","workspace_id":"w","api_app_id":"a","other":1}"#
        let request = try plan("channels.put", arguments).request
        #expect(request.path == [.init("channel", "slack")])
        #expect(request.body?.text == #"{"team_id":"w","app_id":"a","other":1}"#)
    }

    @Test func nameInsideAPayloadStaysBesideTheEngines() throws {
        let arguments = #"{"channel":"slack","workspace_id":"w","team_id":"t"}"#
        let body = try plan("channels.put", arguments).request.body
        #expect(body?.text == #"{"workspace_id":"w","team_id":"t"}"#)
    }

    @Test func payloadIsStrictlyTheCallersOwn() throws {
        let arguments = #"{"channel":"slack","workspace_id":"w","api_app_id":"a","other":1,"$strict":true}"#
        let body = try plan("channels.put", arguments).request.body
        #expect(body?.text == #"{"workspace_id":"w","api_app_id":"a","other":1}"#)
    }

    @Test func headersAreTakenOutOfAPayload() throws {
        let request = try plan("coder.create_run", #"{"request_source":"me","objective":"x"}"#).request
        #expect(request.headers == [.init("X-Tandem-Request-Source", "me")])
        #expect(request.body?.text == #"{"objective":"x"}"#)
    }

    @Test func payloadKeysThatBeginWithADollarAreReserved() throws {
        #expect(try refusal("config.patch", #"{"$schema":"x"}"#).name == .unknownArgument)
    }

    @Test(arguments: [
        (#"{"mission_id":"m","type":"x"}"#, #"{"event":{"type":"x"}}"#),
        (#"{"mission_id":"m","event":{"type":"x"}}"#, #"{"event":{"type":"x"}}"#),
        (#"{"mission_id":"m","$body":{"type":"x"}}"#, #"{"event":{"type":"x"}}"#),
        (#"{"mission_id":"m","event":1,"more":2}"#, #"{"event":{"event":1,"more":2}}"#),
        (#"{"mission_id":"m","event":{"type":"x"},"more":2}"#, #"{"event":{"type":"x"},"more":2}"#),
        (#"{"mission_id":"m"}"#, #"{"event":{}}"#),
    ])
    func wrappedBodyIsWrappedOnce(arguments: String, body: String) throws {
        #expect(try plan("missions.apply_event", arguments).request.body?.text == body)
    }

    @Test func reservedNamesAreOptionsOfTheCall() throws {
        let plan = try plan(
            "sessions.list",
            #"{"$timeout_ms":5,"$tag":{"a":1},"$take":2,"$strict":true,"$vocabulary":"engine","$reconnect":false}"#
        )
        #expect(plan.options.timeoutMilliseconds == 5)
        #expect(plan.options.tag?.text == #"{"a":1}"#)
        #expect(plan.options.take == 2)
        #expect(plan.options.isStrict)
        #expect(plan.options.vocabulary == .engine)
        #expect(!plan.options.reconnects)
        #expect(plan.request.query.isEmpty)
    }

    @Test func argumentsOfTheClientAreOptionsToo() throws {
        let plan = try plan("engine.stream", #"{"vocabulary":"engine","run_id":"r"}"#)
        #expect(plan.options.vocabulary == .engine)
        #expect(plan.request.query == [.init("runID", "r")])
    }

    @Test func defaultsHoldWhereTheCallSaysNothing() throws {
        var defaults = CallOptions()
        defaults.vocabulary = .engine
        defaults.timeoutMilliseconds = 7
        let plan = try Plan(operation("sessions.list"), json(#"{"$timeout_ms":8}"#), defaults: defaults)
        #expect(plan.options.vocabulary == .engine)
        #expect(plan.options.timeoutMilliseconds == 8)
    }

    @Test func strictSwitchesAdaptsOff() throws {
        let adapted = try plan("agent_teams.spawn", #"{"role":"builder"}"#)
        #expect(adapted.request.body?["role"]?.string == "worker")
        let strict = try plan("agent_teams.spawn", #"{"role":"builder","$strict":true}"#)
        #expect(strict.request.body?["role"]?.string == "builder")
    }

    @Test(arguments: ["", #","$strict":true"#]) func aTextIsAPrompt(option: String) throws {
        let plan = try plan("sessions.prompt_sync", #"{"session_id":"s","prompt":"hi""# + option + "}")
        #expect(plan.request.body?.text == #"{"parts":[{"type":"text","text":"hi"}]}"#)
    }

    @Test func strictStillRenames() throws {
        #expect(try plan("sessions.create", #"{"$strict":true,"topP":1}"#).request.body?.text == #"{"top_p":1}"#)
    }

    @Test func valuesAreForTheEngineToJudge() throws {
        #expect(try plan("sessions.create", #"{"title":7}"#).request.body?.text == #"{"title":7}"#)
    }

    @Test func theLastOfTwoEqualNamesHolds() throws {
        #expect(try plan("sessions.list", #"{"q":"a","q":"b"}"#).request.query == [.init("q", "b")])
    }

    @Test func escapedNamesAreTheSameNames() throws {
        #expect(try plan("sessions.list", #"{"\u0071":"a"}"#).request.query == [.init("q", "a")])
    }
}

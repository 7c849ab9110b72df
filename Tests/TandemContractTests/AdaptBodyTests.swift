import TandemJSON
import Testing

@testable import TandemContract

/// Adapts that look at more than one value, each by its words in contract/adapts.json.
@Suite struct AdaptBodyTests {
    private func body(_ name: String, _ arguments: String) throws -> String? {
        try Plan(operation(name), json(arguments), now: 1_000).request.body?.canonical
    }

    private static let partition =
        #""partition":{"org_id":"local","project_id":"default","tier":"session","workspace_id":"local"},"run_id":"local""#

    private static let bodies: [(String, String, String)] = [
        // text_content
        ("memory.put", #"{"text":"t"}"#, #"{"classification":"internal","content":"t","kind":"note",\#(partition)}"#),
        (
            "memory.put", #"{"text":"t","content":"c"}"#,
            #"{"classification":"internal","content":"c","kind":"note",\#(partition)}"#
        ),
        // memory_partition
        (
            "memory.put",
            #"{"content":"c","run_id":"r","kind":"fact","classification":"restricted","partition":{"tier":"project","org_id":"o"}}"#,
            #"{"classification":"restricted","content":"c","kind":"fact","partition":{"org_id":"o","project_id":"default","tier":"project","workspace_id":"local"},"run_id":"r"}"#
        ),
        (
            "memory.search",
            #"{"query":"q","capability":"{\"run_id\":\"r\",\"org_id\":\"o\",\"workspace_id\":\"w\",\"project_id\":\"p\"}"}"#,
            #"{"capability":{"org_id":"o","project_id":"p","run_id":"r","workspace_id":"w"},"partition":{"org_id":"o","project_id":"p","tier":"session","workspace_id":"w"},"query":"q","run_id":"r"}"#
        ),
        ("memory.search", #"{"query":"q","partition":7}"#, #"{"partition":7,"query":"q","run_id":"local"}"#),
        ("memory.demote", #"{"memory_id":"m"}"#, #"{"id":"m","run_id":"local"}"#),
        ("memory.demote", #"{"memory_id":"m","run_id":"r"}"#, #"{"id":"m","run_id":"r"}"#),
        // memory_metadata
        (
            "memory.put", #"{"text":"t","tags":["a"],"source":"x","sessionId":"s"}"#,
            #"{"classification":"internal","content":"t","kind":"note","metadata":{"session_id":"s","source":"x","tags":["a"]},\#(partition)}"#
        ),
        (
            "memory.put", #"{"text":"t","tags":["a"],"metadata":{"tags":["b"],"k":1}}"#,
            #"{"classification":"internal","content":"t","kind":"note","metadata":{"k":1,"tags":["b"]},\#(partition)}"#
        ),
        (
            "memory.put", #"{"text":"t","metadata":[1]}"#,
            #"{"classification":"internal","content":"t","kind":"note","metadata":[1],\#(partition)}"#
        ),
        // memory_promotion
        (
            "memory.promote",
            #"{"memory_id":"m","capability":"{\"run_id\":\"r\",\"project_id\":\"p\"}","to_tier":"team","review":{"required":true}}"#,
            #"{"capability":{"project_id":"p","run_id":"r"},"from_tier":"session","partition":{"org_id":"local","project_id":"p","tier":"session","workspace_id":"local"},"reason":"promoted by the owner","review":{"required":true},"run_id":"r","source_memory_id":"m","to_tier":"team"}"#
        ),
        // from_path and whole_body
        (
            "context_runs.put", #"{"run_id":"r","run":{"status":"queued","x":1},"status":"failed","objective":"o"}"#,
            #"{"objective":"o","run_id":"r","status":"queued","x":1}"#
        ),
        ("context_runs.put", #"{"run_id":"r","run":{"run_id":"other"}}"#, #"{"run_id":"other"}"#),
        ("context_runs.put", #"{"run_id":"r","run":7}"#, #"{"run":7,"run_id":"r"}"#),
        // whole_body
        (
            "stateful_runtime.start_goal", #"{"goal":{"objective":"g","a":1},"objective":"o"}"#,
            #"{"a":1,"objective":"g"}"#
        ),
        (
            "stateful_runtime.start_goal",
            #"{"goal":{"idempotency_key":"old","objective":"g"},"idempotency_key":"new"}"#,
            #"{"idempotency_key":"new","objective":"g"}"#
        ),
        ("orchestrations.create", #"{"draft":{"name":"n"},"name":"other","x":1}"#, #"{"name":"n","x":1}"#),
        (
            "orchestrations.update",
            #"{"orchestration_id":"o","draft":{"name":"n","expected_updated_at_ms":1},"expected_updated_at_ms":2}"#,
            #"{"expected_updated_at_ms":2,"name":"n"}"#
        ),
        (
            "orchestrations.dry_run", #"{"orchestration_id":"o","preview":{"from_node_id":"a"}}"#,
            #"{"from_node_id":"a"}"#
        ),
        ("capabilities.resolve", #"{"payload":{"workflow_id":"w"}}"#, #"{"workflow_id":"w"}"#),
        (
            "capabilities.set_bindings", #"{"bindings":{"schema_version":"1","bindings":[]}}"#,
            #"{"bindings":[],"schema_version":"1"}"#
        ),
        (
            "capabilities.set_bindings", #"{"schema_version":"1","bindings":[]}"#,
            #"{"bindings":[],"schema_version":"1"}"#
        ),
        (
            "stateful_runtime.settle_goal_completion", #"{"goal_id":"g","completion":{"k":1}}"#, #"{"k":1}"#
        ),
    ]

    @Test(arguments: bodies) func bodiesAreCompleted(name: String, arguments: String, wanted: String) throws {
        #expect(try body(name, arguments) == wanted)
    }

    @Test func promotionByTheOwnerCarriesAGrantForThisCall() throws {
        let arguments = #"{"memory_id":"m","partition":{"project_id":"p"},"run_id":"r"}"#
        let body = try Plan(operation("memory.promote"), json(arguments), now: 1_000).request.body
        #expect(
            body?["capability"]?.canonical
                == #"{"expires_at":3601000,"memory":{"allow_auto_use_tiers":[],"promote_targets":["project"],"#
                + #""read_tiers":["session","project"],"require_review_for_promote":false,"write_tiers":["session"]},"#
                + #""org_id":"local","project_id":"p","run_id":"r","subject":"default","workspace_id":"local"}"#
        )
        #expect(body?["source_memory_id"]?.string == "m")
        #expect(body?["id"] == nil)
    }

    @Test(arguments: [
        #""$act_as":null"#, #""$act_as":"agent""#, #""capability":null"#, #""$headers":{"X-Tandem-Agent-ID":"a"}"#,
    ])
    func promotionByOthersCarriesNone(member: String) throws {
        let body = try plan("memory.promote", #"{"memory_id":"m","# + member + "}").request.body
        #expect(body?["capability"]?.isNull ?? true)
    }

    @Test func givenSourceGoesBeforeTheOtherName() throws {
        let body = try plan("memory.promote", #"{"memory_id":"m","source_memory_id":"s"}"#).request.body
        #expect(body?["source_memory_id"]?.string == "s")
        #expect(body?["id"] == nil)
    }

    @Test(arguments: ["[1]", #""x""#, "null"]) func metadataThatIsNoObjectHasNoPlaceForTags(metadata: String) throws {
        let failure = try #require(throws: Failure.self) {
            _ = try plan("memory.put", #"{"text":"t","tags":["a"],"metadata":"# + metadata + "}")
        }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains("metadata"))
    }

    @Test(arguments: [
        (#"{"automation_id":"a"}"#, ["routine_id=a"]), (#"{"automation_id":"a","routine_id":"r"}"#, ["routine_id=r"]),
        (#"{"limit":3}"#, ["limit=3"]), (#"{"automation_id":"a","$strict":true}"#, ["automation_id=a"]),
    ])
    func runsAreFilteredByTheNameEnginesRead(arguments: String, query: [String]) throws {
        let request = try plan("automations.list_runs", arguments).request
        #expect(request.query.map { "\($0.name)=\($0.value)" } == query)
    }

    @Test func providerBelongsToAModelThatIsAText() throws {
        let arguments = #"{"session_id":"s","prompt":"p","model":"m","provider":"q"}"#
        let body = try plan("sessions.prompt_async", arguments).request.body
        #expect(body?["model"]?.canonical == #"{"modelID":"m","providerID":"q"}"#)
        #expect(body?["provider"] == nil)
    }

    @Test(arguments: [#""model":{"providerID":"p","modelID":"m"}"#, #""agent":"a""#])
    func providerAloneIsNoArgumentOfAPrompt(member: String) throws {
        let failure = try #require(throws: Failure.self) {
            _ = try plan("sessions.prompt_async", #"{"session_id":"s","prompt":"p","provider":"q","# + member + "}")
        }
        #expect(failure.name == .unknownArgument)
    }

    @Test func strictlyAnObjectIsAnOrdinaryArgument() throws {
        let body = try Plan(operation("stateful_runtime.start_goal"), json(#"{"goal":{"a":1}}"#), defaults: strict)
            .request
            .body
        #expect(body?.text == #"{"goal":{"a":1}}"#)
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct PlanRunTests {
    private func plan(_ arguments: String, _ defaults: CallOptions = CallOptions()) throws -> Plan {
        let operation = try #require(Operation.named("sessions.run"))
        return try Plan(run: operation, try JSONText(checking: arguments), defaults: defaults)
    }

    @Test func argumentsOfThePromptAreThePrompts() throws {
        let plan = try plan(
            #"{"session_id":"s","prompt":"hi","tool_mode":"auto","idempotency_key":"k","model":"a/b","$tag":7}"#
        )
        #expect(plan.request.path("session_id") == "s")
        #expect(plan.request.operation == Operation.named("sessions.prompt_async")?.number)
        #expect(plan.request.query("return") == "run")
        #expect(plan.request.header("idempotency-key") == "k")
        #expect(plan.request.body?["parts"]?.text == #"[{"type":"text","text":"hi"}]"#)
        #expect(plan.request.body?["toolMode"]?.string == "auto")
        #expect(plan.request.body?.at("model", "providerID")?.string == "a")
        #expect(plan.options.tag?.text == "7")
        #expect(plan.run == RunTerms())
    }

    @Test func partsAreTakenToo() throws {
        let plan = try plan(#"{"session_id":"s","parts":[{"type":"text","text":"hi"}]}"#)
        #expect(plan.request.operation == Operation.named("sessions.prompt_async_parts")?.number)
        #expect(plan.request.body?["parts"]?.elements.count == 1)
    }

    @Test func termsAndOptionsStandBesideThem() throws {
        let plan = try plan(
            #"""
            {"session_id":"s","prompt":"x","permissions":{"default":"deny"},"questions":{"default":"reject"},
             "vocabulary":"both","fold":true,"coalesce_ms":5,"on_conflict":"attach"}
            """#
        )
        #expect(plan.run?.permissions == .deny)
        #expect(plan.run?.questions == .reject)
        #expect(plan.options.vocabulary == .both)
        #expect(plan.options.folds)
        #expect(plan.options.coalesceMilliseconds == 5)
        #expect(plan.options.onConflict == .attach)
    }

    @Test func wholeBodyMayBeGiven() throws {
        #expect(try plan(#"{"session_id":"s","$body":{"parts":[]}}"#).request.body?.text == #"{"parts":[]}"#)
    }

    @Test(arguments: [
        (#"{"session_id":"s"}"#, FailureName.invalidArgument, "prompt and parts"),
        (#"{"session_id":"s","prompt":"x","parts":[]}"#, .invalidArgument, "prompt and parts"),
        (#"{"session_id":"","prompt":"x"}"#, .invalidArgument, "session_id"),
        (#"{"session_id":"s","prompt":"x","fold":1}"#, .invalidArgument, "fold"),
        (#"{"session_id":"s","prompt":"x","colour":1}"#, .unknownArgument, "sessions.run has no argument colour"),
        (#"{"session_id":"s","prompt":"x","$colour":1}"#, .unknownArgument, "$colour"),
        ("[]", .invalidArgument, "sessions.run"),
    ])
    func whatCannotBeIsRefused(_ arguments: String, _ name: FailureName, _ words: String) throws {
        let failure = try #require(throws: Failure.self) { _ = try plan(arguments) }
        #expect(failure.name == name)
        #expect(failure.message.contains(words), "\(failure.message)")
    }

    @Test func otherOperationsHaveNoTerms() throws {
        let operation = try #require(Operation.named("sessions.prompt_async"))
        #expect(try Plan(operation, try JSONText(checking: #"{"session_id":"s","prompt":"x"}"#)).run == nil)
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct RunStepsTests {
    private static let noAnswer = Failure(.engineUnavailable, "nobody is there")

    @Test func promptIsFollowedToItsResult() throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        #expect(run.takeDone() == [#"send sessions.prompt_async {"parts":[{"type":"text","text":"hi"}]}"#])
        run.begins("r")
        #expect(run.takeDone() == ["follow r"])
        try run.hear(
            ("session.run.started", #"{"runID":"r"}"#),
            ("message.part.updated", #"{"part":{"type":"text"},"delta":"who"}"#),
            ("provider.usage", #"{"promptTokens":1,"completionTokens":2,"totalTokens":3,"usageSource":"provider"}"#)
        )
        #expect(run.takeDone().isEmpty)
        try run.finish()
        #expect(run.takeDone() == ["end"])
        #expect(
            try run.result?.get().text
                == #"{"text":"whole","run_id":"r","status":"completed","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"estimated":false},"tools":[]}"#
        )
    }

    @Test func firstTerminalEventCounts() throws {
        var run = try RunStepsFixture.following()
        try run.hear(
            ("session.run.finished", #"{"runID":"r","status":"cancelled"}"#),
            ("session.run.finished", #"{"runID":"r","status":"completed"}"#)
        )
        #expect(try run.result?.get()["status"]?.string == "cancelled")
        try run.hear(("session.run.finished", #"{"runID":"r","status":"completed"}"#))
        run.put(.streamEnded(.success(nil)))
        #expect(run.takeDone() == ["end"], "nothing more is done")
    }

    @Test func failedRunIsAResult() throws {
        var run = try RunStepsFixture.following()
        try run.hear(
            ("session.error", #"{"error":{"code":"PROVIDER_SERVER_ERROR","message":"broken"}}"#),
            ("session.run.finished", #"{"runID":"r","status":"error","failureCategory":"provider"}"#)
        )
        let result = try #require(try run.result?.get())
        #expect(result["status"]?.string == "failed")
        #expect(
            result["error"]?.text
                == #"{"name":"provider_error","code":"PROVIDER_SERVER_ERROR","message":"broken","category":"provider"}"#
        )
        #expect(result["missing"] == nil)
    }

    @Test(arguments: [
        (404, "SESSION_NOT_FOUND", FailureName.notFound), (409, "SESSION_RUN_CONFLICT", .idempotencyConflict),
    ])
    func refusedPromptIsAnError(_ status: Int, _ code: String, _ name: FailureName) throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        run.put(.answered(.prompt, .success(.refusal(status, code: code, message: "no"))))
        #expect(throws: Failure.self) { try run.result?.get() }
        if case .failure(let failure) = run.result { #expect(failure.name == name) }
    }

    @Test func answerWithoutARunIsAnError() throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        run.put(.answered(.prompt, .success(.empty(204))))
        if case .failure(let failure) = run.result { #expect(failure.name == .protocol) }
        #expect(run.result != nil)
    }

    @Test func runIsFoundInTheHeaderToo() throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        let reply = Reply(status: 204, headers: [.init("X-Tandem-Run-Id", "h")], body: .none)
        run.put(.answered(.prompt, .success(reply)))
        #expect(run.takeDone().last == "follow h")
    }

    @Test func storedMessageIsReadWhereTheStreamHadNoFinalText() throws {
        let stored =
            #"[{"info":{"role":"user"},"parts":[{"text":"hi"}]},{"info":{"role":"assistant"},"parts":[{"text":"a"},{"text":"b"}]}]"#
        let long = String(repeating: "x", count: 16_000)
        let cut = #"[{"info":{"role":"assistant"},"parts":[{"text":"\#(long)...<truncated>"}]}]"#
        let cases: [(Result<Reply, Failure>, String, String)] = [
            (.success(.json(try JSONText(checking: stored))), "ab", #"["usage"]"#),
            (.success(.json(try JSONText(checking: cut))), "pieces", #"["text","usage"]"#),
            (.success(.json(try JSONText(checking: "[]"))), "pieces", #"["text","usage"]"#),
            (.success(.refusal(500, code: "X", message: "no")), "pieces", #"["text","usage"]"#),
            (.failure(RunStepsTests.noAnswer), "pieces", #"["text","usage"]"#),
        ]
        for (answer, text, missing) in cases {
            var run = try RunStepsFixture.following()
            try run.hear(("message.part.updated", #"{"part":{"type":"text"},"delta":"pieces"}"#))
            try run.finish(text: nil)
            #expect(run.takeDone() == ["send sessions.messages"])
            run.put(.answered(.messages, answer))
            let result = try #require(try run.result?.get())
            #expect(result["text"]?.string == text)
            #expect(result["missing"]?.text == missing)
        }
    }

    @Test func streamThatBreaksTakesTheRunAlong() throws {
        let outcomes: [(Result<Reply?, Failure>, FailureName)] = [
            (.failure(RunStepsTests.noAnswer), .engineUnavailable), (.success(nil), .protocol),
        ]
        for (outcome, name) in outcomes {
            var run = try RunStepsFixture.following()
            run.put(.streamEnded(outcome))
            #expect(run.takeDone() == ["send sessions.cancel_run"])
            run.put(.answered(.cancelRun, .success(.json(try JSONText(checking: #"{"ok":true,"cancelled":true}"#)))))
            guard case .failure(let failure) = run.result else { throw RunStepsTests.noAnswer }
            #expect(failure.name == name)
            #expect(failure.detail?.text == #"{"run_id":"r","run_cancelled":true}"#)
        }
    }

    @Test func endComesAfterTheLastEventIsShown() throws {
        var run = try RunStepsFixture.following(shows: true)
        try run.finish()
        #expect(run.takeDone().isEmpty)
        run.put(.shown)
        #expect(run.takeDone() == ["end"])
    }

    @Test func eventsMayBeShownBeforeTheStepsHaveHeardTheEnd() throws {
        var run = try RunStepsFixture.following(shows: true)
        run.put(.shown)
        #expect(run.takeDone().isEmpty)
        try run.finish()
        #expect(run.takeDone() == ["end"])
    }

    @Test func conflictPolicyIsThePrompts() throws {
        let conflict = #"{"error":"busy","code":"SESSION_RUN_CONFLICT","activeRun":{"runID":"other"}}"#
        var run = try RunStepsFixture(#"{"on_conflict":"attach"}"#)
        run.put(.begin)
        run.put(.answered(.prompt, .success(.json(try JSONText(checking: conflict), status: 409))))
        #expect(run.takeDone().last == "follow other")
        run.put(.stop)
        #expect(
            run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":false}"#],
            "the run of somebody else goes on"
        )
        run = try RunStepsFixture(#"{"on_conflict":"wait"}"#)
        run.put(.begin)
        run.put(.answered(.prompt, .success(.json(try JSONText(checking: conflict), status: 409))))
        #expect(run.takeDone().last == "send sessions.active_run")
        let active = try JSONText(checking: #"{"active":{"runID":"other"}}"#)
        run.put(.answered(.prompt, .success(.json(active))))
        #expect(run.takeDone() == ["pause 100"])
        run.put(.waited)
        run.put(.answered(.prompt, .success(.json(try JSONText(checking: #"{"active":null}"#)))))
        #expect(run.takeDone().last?.hasPrefix("send sessions.prompt_async") == true)
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct RunStepsDecisionsTests {
    @Test(arguments: [
        (#"{"default":"answer","answer":"A"}"#, true), (#"{"default":"manual"}"#, true),
        (#"{"default":"ask"}"#, false), (#"{"default":"reject"}"#, false),
    ]) func promptSaysWhetherItsQuestionsAreAnswered(policy: String, isSaid: Bool) throws {
        var run = try RunStepsFixture(#"{"questions":\#(policy)}"#)
        run.put(.begin)
        #expect((run.requests[.prompt]?.header(RunTerms.answersQuestions) != nil) == isSaid)
        var other = try RunStepsFixture(#"{"questions":\#(policy)}"#, questionsWait: false)
        other.put(.begin)
        #expect(other.requests[.prompt]?.header(RunTerms.answersQuestions) == nil, "other engines know nothing of it")
    }

    private static let asked = ("permission.asked", #"{"requestID":"p","tool":"bash","args":{"command":"ls"}}"#)
    private static let question = (
        "question.asked", #"{"id":"q","questions":[{"question":"Which?"},{"question":"When?"}]}"#
    )

    private func json(_ text: String) throws -> JSONText { try JSONText(checking: text) }

    @Test(arguments: [
        (#"{"default":"allow"}"#, [#"send permissions.reply {"reply":"once"}"#]),
        (#"{"default":"deny"}"#, [#"send permissions.reply {"reply":"reject"}"#]),
        (#"{"by_tool":{"ba*":"allow"}}"#, [#"send permissions.reply {"reply":"once"}"#]),
        (#"{"default":"manual"}"#, []),
        (#"{"default":"ask"}"#, ["ask p"]),
    ])
    func permissionIsDecidedByTheTerms(_ terms: String, _ done: [String]) throws {
        var run = try RunStepsFixture.following(#"{"permissions":\#(terms)}"#)
        try run.hear(Self.asked)
        #expect(run.takeDone() == done)
        try run.hear(Self.asked)
        #expect(run.takeDone().isEmpty, "a request is decided once")
    }

    @Test func permissionThatWasDecidedBeforeIsLeftAlone() throws {
        var run = try RunStepsFixture.following(#"{"permissions":{"default":"allow"}}"#)
        try run.hear(Self.asked, ("permission.replied", #"{"requestID":"p","reply":"once"}"#))
        #expect(run.takeDone().isEmpty)
    }

    @Test(arguments: [
        (#""once""#, "once"), (#""always""#, "always"), (#""reject""#, "reject"), ("true", "once"), ("false", "reject"),
        (#""maybe""#, "reject"), ("null", "reject"),
    ])
    func hostsAnswerIsPassedOn(_ answer: String, _ word: String) throws {
        var run = try RunStepsFixture.following()
        try run.hear(Self.asked)
        let call = try #require(run.calls["p"])
        #expect(call.kind == .permission)
        #expect(call.name == "bash")
        #expect(call.sessionID == "s")
        #expect(call.runID == "r")
        #expect(call.input["request_id"]?.string == "p")
        #expect(call.input.at("args", "command")?.string == "ls")
        _ = run.takeDone()
        run.put(.decided("p", .success(try json(answer))))
        #expect(run.takeDone() == [#"send permissions.reply {"reply":"\#(word)"}"#])
        #expect(run.requests[.permission("p")]?.path("request_id") == "p")
    }

    @Test func hostThatFailsRefuses() throws {
        var run = try RunStepsFixture.following()
        try run.hear(Self.asked)
        run.put(.decided("p", .failure(Failure(.hostTimeout, "late"))))
        #expect(run.takeDone() == ["ask p", #"send permissions.reply {"reply":"reject"}"#])
    }

    @Test func answerThatComesTooLateIsNotSent() throws {
        for late in [
            ("permission.replied", #"{"requestID":"p","reply":"once"}"#),
            ("permission.wait.timeout", #"{"requestID":"p","tool":"bash"}"#),
        ] {
            var run = try RunStepsFixture.following()
            try run.hear(Self.asked)
            _ = run.takeDone()
            try run.hear(late)
            #expect(run.takeDone() == ["stop asking p: resolved"])
            run.put(.decided("p", .success(try json(#""once""#))))
            #expect(run.takeDone().isEmpty)
        }
    }

    @Test func nobodyIsAskedAfterTheEnd() throws {
        var run = try RunStepsFixture.following()
        try run.hear(Self.asked)
        _ = run.takeDone()
        try run.finish()
        #expect(run.takeDone() == ["stop asking p: resolved", "end"])
    }

    @Test func permissionThatExpiredIsInTheResult() throws {
        var run = try RunStepsFixture.following(#"{"permissions":{"default":"manual"}}"#)
        try run.hear(
            ("message.part.updated", #"{"part":{"id":"call_1","type":"tool","tool":"bash","state":"pending"}}"#),
            Self.asked,
            ("permission.wait.timeout", #"{"requestID":"p","tool":"bash"}"#),
            ("message.part.updated", #"{"part":{"id":"p","type":"tool","tool":"bash","state":"failed"}}"#)
        )
        try run.finish()
        let tools = try #require(try run.result?.get()["tools"])
        #expect(tools.elements.compactMap { $0["status"]?.string } == ["permission_expired"])
    }

    @Test func answerThatDidNotGetThroughIsSentAgain() throws {
        var run = try RunStepsFixture.following(#"{"permissions":{"default":"allow"}}"#)
        try run.hear(Self.asked)
        let failure = Result<Reply, Failure>.failure(Failure(.engineUnavailable, "gone"))
        run.put(.answered(.permission("p"), failure))
        #expect(run.takeDone().last == "retry p in 500")
        run.put(.again("p"))
        run.put(.answered(.permission("p"), failure))
        #expect(run.takeDone() == [#"send permissions.reply {"reply":"once"}"#, "retry p in 1000"])
        run.put(.again("p"))
        run.put(.answered(.permission("p"), failure))
        #expect(run.takeDone() == [#"send permissions.reply {"reply":"once"}"#], "three times are enough")
    }

    @Test func refusalOfAnAnswerIsFinal() throws {
        var run = try RunStepsFixture.following(#"{"permissions":{"default":"allow"}}"#)
        try run.hear(Self.asked)
        _ = run.takeDone()
        let refusal = Reply.refusal(409, code: "APPROVAL_REPLY_INVALID", message: "no longer pending")
        run.put(.answered(.permission("p"), .success(refusal)))
        run.put(.again("p"))
        #expect(run.takeDone().isEmpty)
    }

    @Test func questionOfAnEngineThatWaitsIsAnsweredOnce() throws {
        var run = try RunStepsFixture.following(#"{"questions":{"default":"answer","answer":"yes"}}"#)
        try run.hear(Self.question)
        #expect(run.takeDone() == [#"send questions.answer {"answer":["yes","yes"]}"#])
        try run.hear(("question.replied", #"{"id":"q","ok":true,"answer":["yes","yes"]}"#))
        try run.finish()
        #expect(run.takeDone() == ["end"])
    }

    @Test func answerIsAlsoTheNextPromptWhereTheEngineDoesNotWait() throws {
        var run = try RunStepsFixture.following(
            #"{"idempotency_key":"k","model":"a/b","questions":{"default":"answer","answer":"yes"}}"#,
            questionsWait: false
        )
        try run.hear(Self.question)
        #expect(run.takeDone() == [#"send questions.answer {"answer":"yes\nyes"}"#])
        try run.finish(text: "I asked.")
        #expect(
            run.takeDone() == [
                #"send sessions.prompt_async {"model":{"providerID":"a","modelID":"b"},"parts":[{"type":"text","text":"yes\nyes"}]}"#
            ]
        )
        #expect(run.requests[.prompt]?.header("idempotency-key") == "k-2")
        run.begins("r2")
        #expect(run.takeDone() == ["follow r2"])
        try run.hear(
            ("message.part.updated", #"{"part":{"type":"text","text":"Done.","messageID":"m"}}"#),
            ("session.run.finished", #"{"runID":"r2","status":"completed"}"#)
        )
        let result = try #require(try run.result?.get())
        #expect(result["text"]?.string == "Done.")
        #expect(result["run_id"]?.string == "r2")
    }

    @Test func runWaitsForTheAnswerAfterItsEnd() throws {
        var run = try RunStepsFixture.following(questionsWait: false)
        try run.hear(Self.question)
        try run.finish()
        #expect(run.takeDone() == ["ask q"])
        run.put(.decided("q", .success(try json(#"["a",["b","c"]]"#))))
        let done = run.takeDone()
        #expect(done.first == #"send questions.answer {"answer":"a\nb, c"}"#)
        #expect(done.last?.hasPrefix("send sessions.prompt_async") == true)
    }

    @Test func rejectedQuestionNeedsNoPrompt() throws {
        for policy in [#"{"questions":{"default":"reject"}}"#, "{}"] {
            var run = try RunStepsFixture.following(policy, questionsWait: false)
            try run.hear(Self.question)
            run.put(.decided("q", .failure(Failure(.hostFailed, "no"))))
            #expect(run.takeDone().last == "send questions.reject")
            try run.finish()
            #expect(run.takeDone() == ["end"])
        }
    }

    @Test func manualAnswerIsHeardOf() throws {
        var run = try RunStepsFixture.following(#"{"questions":{"default":"manual"}}"#, questionsWait: false)
        try run.hear(Self.question)
        try run.finish()
        #expect(run.takeDone().isEmpty)
        run.put(.answeredElsewhere("other", try json(#""x""#)))
        #expect(run.takeDone().isEmpty)
        run.put(.answeredElsewhere("q", try json(#""mine""#)))
        #expect(run.takeDone().last?.contains("mine") == true)
        run.begins("r2")
        run.put(.answeredElsewhere("q", try json(#""twice""#)))
        try run.hear(("session.run.finished", #"{"runID":"r2","status":"cancelled"}"#))
        #expect(run.takeDone() == ["follow r2", "end"])
    }

    @Test func manualRejectionIsHeardOfToo() throws {
        var run = try RunStepsFixture.following(#"{"questions":{"default":"manual"}}"#, questionsWait: false)
        try run.hear(Self.question)
        try run.finish()
        run.put(.answeredElsewhere("q", nil))
        #expect(run.takeDone() == ["end"])
    }

    @Test func engineThatTellsAnAnswerIsBelieved() throws {
        var run = try RunStepsFixture.following(questionsWait: false)
        try run.hear(Self.question)
        try run.hear(("question.replied", #"{"id":"q","ok":true,"answer":"theirs"}"#))
        #expect(run.takeDone() == ["ask q", "stop asking q: resolved"])
        try run.finish()
        #expect(run.takeDone().last?.contains("theirs") == true)
    }

    @Test func failedRunWaitsForNoAnswer() throws {
        var run = try RunStepsFixture.following(questionsWait: false)
        try run.hear(Self.question)
        try run.finish("error", text: nil)
        #expect(run.takeDone() == ["ask q", "stop asking q: the run is over", "end"])
        #expect(try run.result?.get()["status"]?.string == "failed")
    }

    @Test func stoppedWhileAnAnswerIsWaitedForLeavesNothing() throws {
        var run = try RunStepsFixture.following(questionsWait: false)
        try run.hear(Self.question)
        try run.finish()
        _ = run.takeDone()
        run.put(.stop)
        #expect(
            run.takeDone() == [
                "stop asking q: the operation is over", #"end cancelled {"sent":true,"run_cancelled":false}"#,
            ]
        )
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct RunStepsStoppingTests {
    private let cancelled = Result<Reply, Failure>.success(
        .json(JSONText(trusted: Array(#"{"ok":true,"cancelled":true}"#.utf8)))
    )

    @Test func beforeAPromptIsSentNothingIsLeft() throws {
        let conflict = #"{"error":"busy","code":"SESSION_RUN_CONFLICT","activeRun":{"runID":"other"}}"#
        var run = try RunStepsFixture(#"{"on_conflict":"wait"}"#)
        run.put(.begin)
        run.put(.answered(.prompt, .success(.json(try JSONText(checking: conflict), status: 409))))
        _ = run.takeDone()
        run.put(.stop)
        #expect(
            run.takeDone() == ["stop sending prompt", #"end cancelled {"sent":true,"run_cancelled":false}"#]
        )
        run.put(.answered(.prompt, .failure(Failure(.cancelled, "late"))))
        run.put(.waited)
        #expect(run.takeDone().isEmpty)
    }

    @Test func promptUnderWayIsWaitedForAndItsRunCancelled() throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        _ = run.takeDone()
        run.put(.stop)
        #expect(run.takeDone() == ["grace"])
        run.begins("r")
        #expect(run.takeDone() == ["send sessions.cancel_run"])
        #expect(run.requests[.cancelRun]?.path("run_id") == "r")
        run.put(.answered(.cancelRun, cancelled))
        #expect(run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":true}"#])
    }

    @Test func promptThatIsRefusedMeanwhileLeftNoRun() throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        run.put(.stop)
        _ = run.takeDone()
        run.put(.answered(.prompt, .success(.refusal(404, code: "SESSION_NOT_FOUND", message: "no"))))
        #expect(run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":false}"#])
    }

    @Test func promptWithoutAnAnswerEndsWithTheSessionsRun() throws {
        var run = try RunStepsFixture()
        run.put(.begin)
        run.put(.stop)
        _ = run.takeDone()
        run.put(.graceOver)
        #expect(run.takeDone() == ["stop sending prompt"])
        run.put(.answered(.prompt, .failure(Failure(.cancelled, "stopped"))))
        #expect(run.takeDone() == ["send sessions.abort"])
        run.put(.answered(.cancelRun, cancelled))
        #expect(run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":true}"#])
    }

    @Test func runThatIsFollowedIsCancelled() throws {
        var run = try RunStepsFixture.following(shows: true)
        run.put(.stop)
        #expect(run.takeDone() == ["send sessions.cancel_run"])
        try run.finish("cancelled", text: nil)
        run.put(.graceOver)
        run.put(.stop)
        #expect(run.takeDone().isEmpty, "the request's answer is waited for")
        run.put(.answered(.cancelRun, cancelled))
        #expect(run.takeDone() == ["stop showing", #"end cancelled {"sent":true,"run_cancelled":true}"#])
    }

    @Test(arguments: [
        Result<Reply, Failure>.success(.json(JSONText(trusted: Array(#"{"cancelled":false}"#.utf8)))),
        .failure(Failure(.engineUnavailable, "gone")),
    ])
    func itSaysWhereTheRunWasNotCancelled(_ answer: Result<Reply, Failure>) throws {
        var run = try RunStepsFixture.following()
        run.put(.stop)
        _ = run.takeDone()
        run.put(.answered(.cancelRun, answer))
        #expect(run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":false}"#])
    }

    @Test func engineThatDoesNotAnswerIsNotWaitedFor() throws {
        var run = try RunStepsFixture.following()
        run.put(.stop)
        _ = run.takeDone()
        run.put(.stopOver)
        #expect(run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":false}"#])
        run.put(.stopOver)
        run.put(.answered(.cancelRun, cancelled))
        #expect(run.takeDone().isEmpty)
    }

    @Test func resultThatIsThereIsGiven() throws {
        var run = try RunStepsFixture.following(shows: true)
        try run.finish()
        run.put(.stop)
        #expect(run.takeDone() == ["stop showing", "end"])
        #expect(try run.result?.get()["text"]?.string == "whole")
    }

    @Test func readingOfTheMessagesIsGivenUp() throws {
        var run = try RunStepsFixture.following()
        try run.finish(text: nil)
        _ = run.takeDone()
        run.put(.stop)
        #expect(run.takeDone() == [#"end cancelled {"sent":true,"run_cancelled":false}"#])
    }

    @Test func hostIsNotAskedAnyMore() throws {
        var run = try RunStepsFixture.following()
        try run.hear(("permission.asked", #"{"requestID":"p","tool":"bash"}"#))
        run.put(.stop)
        _ = run.takeDone()
        run.put(.answered(.cancelRun, cancelled))
        #expect(run.takeDone().first == "stop asking p: the operation is over")
        run.put(.decided("p", .success(.null)))
        #expect(run.takeDone().isEmpty)
    }
}

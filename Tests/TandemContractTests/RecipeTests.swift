import TandemJSON
import Testing

@testable import TandemContract

@Suite struct RecipeTests {
    private func prepared(_ name: String, _ arguments: String) throws -> Request {
        var plan = try plan(name, arguments)
        Recipe.prepare(&plan, try operation(name)) { "made" }
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
        Recipe.finish(result, try operation(name))
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
        #expect(try finished(json(#"{"a":1}"#)).get().text == #"{"a":1}"#)
    }
}

import TandemHTTP
import Testing

@testable import TandemProviders

@Suite struct ChatResponseReaderTests {
    private func read(
        _ status: Int,
        _ type: String,
        _ body: String,
        headers: [(String, String)] = [],
        end failure: TransferError? = nil
    ) -> [ModelEvent] {
        var reader = ChatResponseReader(server: "host:1")
        let all = [("content-type", type)] + headers
        reader.head(ResponseHead(status: status, headers: all.map { ResponseHead.Header(name: $0.0, value: $0.1) }))
        return reader.bytes(Array(body.utf8)) + reader.end(failure)
    }

    private func lastFailure(_ events: [ModelEvent]) -> ModelFailure? {
        if case .failed(let failure) = events.last { failure } else { nil }
    }

    @Test(arguments: ["application/json", "application/json; charset=utf-8", "application/problem+json", ""])
    func answerWithoutStreamingIsRead(type: String) {
        let body = #"{"choices":[{"message":{"content":"hi"},"finish_reason":"length"}],"usage":{"prompt_tokens":1}}"#
        let usage = ModelUsage(prompt: 1, completion: 0, total: 1)
        #expect(read(200, type, body) == [.text("hi"), .usage(usage), .finished(reason: "length")])
    }

    @Test func streamUnderAWrongNameIsRead() {
        #expect(read(200, "application/json", "data: [DONE]\n\n") == [.finished(reason: nil)])
    }

    @Test func pageIsNoAnswer() {
        let message = "host:1 answered with text/html, which is neither JSON nor an event stream"
        #expect(read(200, "text/html; charset=utf-8", "<html>") == [.failed(ModelFailure(.provider, message))])
        #expect(read(200, "text/html", "") == [.failed(ModelFailure(.provider, message))])
    }

    @Test(arguments: [
        (401, #"{"error":{"message":"bad key"}}"#, ModelFailure.Category.authentication, "bad key"),
        (403, "", .authentication, ""),
        (400, #"{"error":{"message":"This model's maximum context length is 8 tokens"}}"#, .contextLength, "8 tokens"),
        (
            400, #"{"error":{"code":400,"message":"too big","type":"exceed_context_size_error"}}"#, .contextLength,
            "too big"
        ),
        (400, #"{"error":{"message":"no such parameter"}}"#, .provider, "no such parameter"),
        (404, #"{"error":"model not found"}"#, .provider, "model not found"),
        (404, #"{"message":"nothing here"}"#, .provider, "nothing here"),
        (500, "it broke", .provider, "it broke"),
        (504, "", .timeout, ""),
        (302, "", .provider, "redirects are not followed"),
    ]) func statusAndBodyTellWhy(status: Int, body: String, category: ModelFailure.Category, words: String) throws {
        let failure = try #require(lastFailure(read(status, "application/json", body)))
        #expect(failure.category == category)
        #expect(failure.status == status)
        #expect(failure.message.hasPrefix("host:1 answered with status \(status)"))
        #expect(failure.message.hasSuffix(words))
    }

    @Test(arguments: [
        ("retry-after", "7", 7_000), ("retry-after-ms", "250", 250), ("retry-after", "0.5", 500),
        ("retry-after", "-1", nil),
        ("retry-after", "soon", nil), ("retry-after", "nan", nil), ("retry-after", "1e300", 86_400_000),
    ]) func rateLimitSaysWhenToTryAgain(name: String, value: String, expected: Int64?) throws {
        let failure = try #require(lastFailure(read(429, "application/json", "{}", headers: [(name, value)])))
        #expect(failure.category == .rateLimited)
        #expect(failure.retryAfterMilliseconds == expected)
    }

    @Test func longComplaintIsShortened() throws {
        let failure = try #require(lastFailure(read(500, "text/plain", String(repeating: "é", count: 10_000))))
        #expect(failure.message.utf8.count < 560)
        #expect(failure.message.hasSuffix("é"))
    }

    @Test(arguments: ["{", "{}", #"{"choices":[]}"#, ""]) func replyWithoutAnswerFails(body: String) {
        #expect(lastFailure(read(200, "application/json", body))?.category == .provider)
    }

    @Test(arguments: [
        (TransferError.Code.idle, ModelFailure.Category.timeout), (.timedOut, .timeout), (.cancelled, .cancelled),
        (.connect, .provider), (.resolve, .provider), (.tls, .provider), (.cut, .provider), (.tooLarge, .provider),
    ]) func transferErrorKeepsItsMessage(code: TransferError.Code, category: ModelFailure.Category) {
        let events = read(200, "text/event-stream", "", end: TransferError(code, "why"))
        #expect(events == [.failed(ModelFailure(category, "why"))])
    }

    @Test func callsOfToolsAreReadWithoutStreaming() {
        let body = """
            {"choices":[{"message":{"content":null,"tool_calls":[{"id":"a","type":"function",
            "function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}]}
            """
        #expect(
            read(200, "application/json", body) == [
                .toolCallDelta(ModelToolDelta(index: 0, id: "a", name: "f", arguments: "{}")),
                .toolCalls([ModelToolCall(id: "a", name: "f", arguments: "{}")]), .finished(reason: "tool_calls"),
            ]
        )
    }
}

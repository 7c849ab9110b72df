import Testing

@testable import TandemProviders

@Suite struct ChatStreamDecoderTests {
    private static let usage =
        #"data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}"#
    private static let stop = #"data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#

    private func text(_ content: String) -> String {
        #"data: {"choices":[{"index":0,"delta":{"content":"\#(content)"}}]}"#
    }

    private func stream(_ lines: String...) -> [UInt8] { Array(lines.map { $0 + "\n\n" }.joined().utf8) }

    private func decode(_ bytes: [UInt8], by size: Int = .max, end failure: ModelFailure? = nil) -> [ModelEvent] {
        var decoder = ChatStreamDecoder(server: "host:1")
        var events: [ModelEvent] = []
        for start in stride(from: 0, to: bytes.count, by: min(size, max(bytes.count, 1))) {
            let end = size > bytes.count - start ? bytes.count : start + size
            events += decoder.read(Array(bytes[start..<end]))
        }
        return events + decoder.end(failure)
    }

    @Test(arguments: [1, 2, 3, 7, Int.max]) func wholeAnswerIsReadAtEverySplit(size: Int) {
        let bytes = stream(
            text("Grüße "),
            text("👋"),
            ChatStreamDecoderTests.stop,
            ChatStreamDecoderTests.usage,
            "data: [DONE]"
        )
        let expected: [ModelEvent] = [
            .text("Grüße "), .text("👋"), .usage(ModelUsage(prompt: 3, completion: 2, total: 5)),
            .finished(reason: "stop"),
        ]
        #expect(decode(bytes, by: size) == expected)
    }

    @Test func contentMayComeInParts() {
        let parts =
            #"data: {"choices":[{"delta":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]}"#
        let whole = #"data: {"choices":[{"message":{"content":"c"}}]}"#
        #expect(decode(stream(parts, whole, "data: [DONE]")) == [.text("ab"), .text("c"), .finished(reason: nil)])
    }

    @Test func reasoningAndEmptyTextAreNoEvents() {
        let reasoning = #"data: {"choices":[{"delta":{"content":null,"reasoning_content":"hm"}}]}"#
        #expect(decode(stream(reasoning, text(""), ": ping", "data: [DONE]")) == [.finished(reason: nil)])
    }

    @Test func streamWithoutDoneIsCompleteOnceItNamedItsReason() {
        #expect(decode(stream(text("a"), ChatStreamDecoderTests.stop)) == [.text("a"), .finished(reason: "stop")])
        let cut = ModelFailure(.provider, "cut")
        #expect(decode(stream(ChatStreamDecoderTests.stop), end: cut) == [.finished(reason: "stop")])
    }

    @Test func streamThatJustEndsWasCut() {
        let message = "host:1 ended its answer before it was complete"
        #expect(decode(stream(text("a"))) == [.text("a"), .failed(ModelFailure(.provider, message))])
        let half = decode(stream(text("a")) + Array("data: {\"cho".utf8))
        #expect(
            half.last
                == .failed(
                    ModelFailure(.provider, "host:1 ended its answer in the middle of an event before it was complete")
                )
        )
        #expect(decode([]) == [.failed(ModelFailure(.provider, message))])
    }

    @Test(arguments: ["data: {nope}", "data: [1]", "data: \"x\"", "data: {\"a\":1}{\"b\":2}"])
    func whatIsNoJSONObjectFailsTheAnswer(line: String) {
        let events = decode(stream(text("a"), line, text("b"), "data: [DONE]"))
        #expect(
            events == [.text("a"), .failed(ModelFailure(.provider, "host:1 sent an event that is not valid JSON"))]
        )
    }

    @Test(arguments: [
        (#"{"error":{"message":"boom"}}"#, ModelFailure.Category.provider, "boom", nil),
        (#"{"error":"boom"}"#, .provider, "boom", nil),
        (#"{"error":{"message":"slow down","code":429}}"#, .rateLimited, "slow down", 429),
        (#"{"error":{"message":"x","code":"context_length_exceeded"}}"#, .contextLength, "x", nil),
        (
            #"{"choices":[{"error":{"message":"upstream","code":502},"finish_reason":"error"}]}"#, .provider,
            "upstream", 502
        ),
    ]) func errorInsideTheStreamEndsIt(json: String, category: ModelFailure.Category, message: String, status: Int?) {
        let failure = ModelFailure(category, "host:1 reported: \(message)", status: status)
        #expect(decode(stream("data: " + json, "data: [DONE]")) == [.failed(failure)])
    }

    @Test func nothingFollowsTheLastEvent() {
        #expect(decode(stream("data: [DONE]", text("late"), "data: {nope}")) == [.finished(reason: nil)])
    }

    @Test func cancelIsAFailureAlsoAfterTheReason() {
        let cancelled = ModelFailure(.cancelled, "c")
        #expect(decode(stream(ChatStreamDecoderTests.stop), end: cancelled) == [.failed(cancelled)])
    }

    @Test(arguments: [1, 2, 3, 7, Int.max]) func callsOfToolsAreReadAtEverySplit(size: Int) {
        let bytes = stream(
            text("Let me. "),
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{\"x\""}}]}}]}"#,
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            #"data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            ChatStreamDecoderTests.usage,
            "data: [DONE]"
        )
        let expected: [ModelEvent] = [
            .text("Let me. "), .toolCallDelta(ModelToolDelta(index: 0, id: "a", name: "f", arguments: #"{"x""#)),
            .toolCallDelta(ModelToolDelta(index: 0, id: "a", name: "f", arguments: ":1}")),
            .toolCalls([ModelToolCall(id: "a", name: "f", arguments: #"{"x":1}"#)]),
            .usage(ModelUsage(prompt: 3, completion: 2, total: 5)), .finished(reason: "tool_calls"),
        ]
        #expect(decode(bytes, by: size) == expected)
    }

    @Test func callsOfAnAnswerThatWasCutAreNotMade() {
        let piece =
            #"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}"#
        let events = decode(stream(piece))
        #expect(!events.contains { if case .toolCalls = $0 { true } else { false } })
        #expect(events.last?.isLast == true)
    }
}

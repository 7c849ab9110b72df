import TandemJSON
import Testing

@testable import TandemProviders

@Suite struct HostedModelReaderTests {
    private func read(_ chunks: [String], end: String) throws -> [ModelEvent] {
        var reader = HostedModelReader(model: "mine")
        var events: [ModelEvent] = []
        for chunk in chunks { events += reader.take(try JSONText(checking: chunk)) }
        return events + reader.end(try JSONText(checking: end))
    }

    private let call = #"{"id":"c","function":{"name":"f","arguments":"{}"}}"#

    @Test func piecesAreTheAnswerWhereTheEndNamesNoMessage() throws {
        let usage = #"{"finish_reason":"stop","usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#
        #expect(
            try read([#""a""#, #"{"content":"b"}"#, #"{"role":"assistant"}"#, #""""#], end: usage) == [
                .text("a"), .text("b"), .usage(ModelUsage(prompt: 1, completion: 2, total: 3)),
                .finished(reason: "stop"),
            ]
        )
    }

    @Test(arguments: [#"{"message":"whole"}"#, #"{"message":{"content":"whole"}}"#]) func theMessageIsTheAnswer(
        end: String
    ) throws { #expect(try read([], end: end) == [.text("whole"), .finished(reason: nil)]) }

    @Test func whatThePiecesSaidIsNotSaidTwice() throws {
        let end = #"{"message":{"content":"ab","tool_calls":[\#(call)]}}"#
        #expect(
            try read([#""ab""#], end: end) == [
                .text("ab"), .toolCallDelta(ModelToolDelta(index: 0, id: "c", name: "f", arguments: "{}")),
                .toolCalls([ModelToolCall(id: "c", name: "f", arguments: "{}")]), .finished(reason: nil),
            ]
        )
        let pieces = try read([#"{"tool_calls":[\#(call)]}"#], end: end)
        #expect(pieces.count { if case .toolCallDelta = $0 { true } else { false } } == 1)
    }

    @Test(arguments: [
        (["3"], "{}", "sent a piece that is neither text nor object"),
        ([], "[]", "answered with something that is no object"),
        ([], #""text""#, "answered with something that is no object"),
        ([], #"{"message":[1]}"#, "answered with a message that is neither text nor object"),
    ]) func whatIsNoAnswerFailsWithTheReason(chunks: [String], end: String, reason: String) throws {
        #expect(try read(chunks, end: end) == [.failed(ModelFailure(.provider, "the host's model mine \(reason)"))])
    }

    @Test func nothingFollowsTheLastEvent() throws {
        var reader = HostedModelReader(model: "mine")
        let failure = ModelFailure(.hostTimeout, "late")
        #expect(reader.end(failure) == [.failed(failure)])
        #expect(reader.end(failure).isEmpty && reader.end(.emptyObject).isEmpty && reader.take(.emptyObject).isEmpty)
    }
}

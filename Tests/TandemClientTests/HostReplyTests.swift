import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct HostReplyTests {
    private func read(_ text: String, _ kind: HostCall.Kind) throws -> Result<JSONText, Failure> {
        try HostReply.read(JSONText(checking: text), kind)
    }

    @Test(arguments: [
        (#"{"ok":"text"}"#, HostCall.Kind.tool), (#"{"ok":{"output":"o"}}"#, .tool),
        (#"{"ok":{"output":"o","metadata":{"a":1}}}"#, .tool), (#"{"ok":{}}"#, .model),
        (#"{"ok":{"message":{"role":"assistant","content":"c"},"finish_reason":"stop","usage":{}}}"#, .model),
        (#"{"ok":{"message":null,"usage":null,"finish_reason":null}}"#, .model), (#"{"ok":"once"}"#, .permission),
        (#"{"ok":"always"}"#, .permission), (#"{"ok":"reject"}"#, .permission), (#"{"ok":["a",["b","c"]]}"#, .question),
    ])
    func resultOfEachKindIsTaken(text: String, kind: HostCall.Kind) throws {
        #expect(try read(text, kind).get() == JSONText(checking: text)["ok"])
    }

    @Test func messageOfAModelMayBeItsText() throws {
        let reply = try read(#"{"ok":{"message":"Hi","finish_reason":"stop"}}"#, .model).get()
        #expect(reply.at("message", "role")?.string == "assistant")
        #expect(reply.at("message", "content")?.string == "Hi")
        #expect(reply["finish_reason"]?.string == "stop")
    }

    @Test(arguments: [
        ("1", HostCall.Kind.tool), ("{}", .tool), (#""text""#, .tool), (#"{"ok":1}"#, .tool), (#"{"ok":null}"#, .tool),
        (#"{"ok":{"metadata":{}}}"#, .tool), (#"{"ok":{"output":1}}"#, .tool),
        (#"{"ok":{"output":"o","metadata":1}}"#, .tool), (#"{"error":{}}"#, .tool), (#"{"error":1}"#, .tool),
        (#"{"ok":"text"}"#, .model), (#"{"ok":{"message":1}}"#, .model),
        (#"{"ok":{"message":{"content":1}}}"#, .model), (#"{"ok":{"message":{"tool_calls":"x"}}}"#, .model),
        (#"{"ok":{"usage":1}}"#, .model),
        (#"{"ok":{"finish_reason":1}}"#, .model), (#"{"ok":"maybe"}"#, .permission), (#"{"ok":true}"#, .permission),
        (#"{"ok":"a"}"#, .question),
    ])
    func otherRepliesAreNone(text: String, kind: HostCall.Kind) throws {
        let json = try JSONText(checking: text)
        #expect(throws: HostReply.Fault.self) { _ = try HostReply.read(json, kind) }
    }

    @Test func errorIsTheHostsOwnWord() throws {
        let failed = try read(#"{"error":{"message":"no","retryable":true}}"#, .tool)
        #expect(failed == .failure(Failure(.hostFailed, "no", isRetryable: true)))
        #expect(try read(#"{"error":"no"}"#, .question) == .failure(Failure(.hostFailed, "no", isRetryable: false)))
    }

    @Test func pieceOfAModelIsADelta() throws {
        func piece(_ text: String, _ kind: HostCall.Kind) throws -> String {
            try HostReply.chunk(JSONText(checking: text), kind).text
        }
        #expect(try piece(#""Hel""#, .model) == #"{"content":"Hel"}"#)
        #expect(try piece(#"{"content":"lo"}"#, .model) == #"{"content":"lo"}"#)
        #expect(try piece("0.5", .tool) == "0.5")
        #expect(try piece(#"{"content":null,"tool_calls":[]}"#, .model) == #"{"content":null,"tool_calls":[]}"#)
    }

    @Test func wholeReplyOfAServerIsNoAnswerAndTheReasonSaysWhatIs() throws {
        let whole = try JSONText(checking: #"{"choices":[{"message":{"content":"x"}}],"usage":{}}"#)
        let answer = JSONWriter.object { $0.member("ok", whole) }
        let reply = try #require(throws: HostReply.Fault.self) { _ = try HostReply.read(answer, .model) }
        #expect(reply.reason.contains("`message` in its `choices`"))
        let piece = try #require(throws: HostReply.Fault.self) { _ = try HostReply.chunk(whole, .model) }
        #expect(piece == reply)
    }

    @Test(arguments: ["1", "null", "[]", #"{"content":5}"#, #"{"content":{}}"#, #"{"tool_calls":{}}"#])
    func otherPiecesOfAModelAreNone(text: String) throws {
        let json = try JSONText(checking: text)
        #expect(throws: HostReply.Fault.self) { try HostReply.chunk(json, .model) }
        #expect(try HostReply.chunk(json, .tool) == json, "a tool's progress is any JSON")
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct RunStateTests {
    private var state = RunState()

    private mutating func fold(_ type: String, _ properties: String, run: String? = "r") throws {
        let context = EventContext(sessionID: "s", runID: run, atMilliseconds: 1)
        state.fold(NormalizedEvent(type: type, context: context, properties: try JSONText(checking: properties)))
    }

    private func json() throws -> JSONText {
        let text = JSONWriter.object { writer in
            writer.key("state")
            state.write(to: &writer)
        }
        return try #require(try JSONText(checking: text.text)["state"])
    }

    @Test func emptyStateHasAllMembers() throws {
        #expect(
            try json().text
                == #"{"run_id":null,"status":"running","tools":[],"todos":[],"permissions":[],"questions":[],"usage":null,"text":""}"#
        )
    }

    @Test mutating func deltasAreJoinedAndTheMessageReplacesThem() throws {
        try fold("session.response", #"{"delta":"a\n"}"#)
        try fold("session.response", #"{"delta":"b"}"#)
        #expect(try json()["text"]?.string == "a\nb")
        #expect(!state.hasMessage)
        try fold("session.message", #"{"text":"whole","message_id":"m"}"#)
        #expect(try json()["text"]?.string == "whole")
        #expect(state.hasMessage)
        #expect(try json()["run_id"]?.string == "r")
    }

    @Test mutating func messageWithoutATextChangesNothing() throws {
        try fold("session.response", #"{"delta":"a"}"#)
        try fold("session.message", #"{"text":null}"#)
        #expect(try json()["text"]?.string == "a")
        #expect(!state.hasMessage)
    }

    @Test mutating func answerThatBeginsAgainLosesItsFirstTry() throws {
        try fold("session.response", #"{"delta":"kept "}"#)
        try fold("engine.provider.call.iteration.start", "{}")
        try fold("session.response", #"{"delta":"lost"}"#)
        try fold("engine.provider.call.iteration.retry", "{}")
        try fold("session.response", #"{"delta":"new"}"#)
        #expect(try json()["text"]?.string == "kept new")
    }

    @Test mutating func requestsArePendingUntilTheyAreSettled() throws {
        try fold("permission.request", #"{"request_id":"p","tool":"bash"}"#)
        try fold("permission.request", #"{"request_id":"p","tool":"bash"}"#)
        try fold("question.request", #"{"request_id":"q","questions":[{"question":"Which?"}]}"#)
        #expect(try json()["permissions"]?.text == #"[{"request_id":"p","tool":"bash"}]"#)
        #expect(try json()["questions"]?.elements.count == 1)
        try fold("permission.resolved", #"{"request_id":"p","reply":"once"}"#)
        try fold("question.resolved", #"{"request_id":"q","ok":true}"#)
        #expect(try json()["permissions"]?.text == "[]")
        #expect(try json()["questions"]?.text == "[]")
    }

    @Test mutating func endedRunWaitsForNoPermissionButItsQuestionsStay() throws {
        try fold("permission.request", #"{"request_id":"p","tool":"bash"}"#)
        try fold("question.request", #"{"request_id":"q","questions":[]}"#)
        try fold("run.completed", #"{"finished_at_ms":1}"#)
        #expect(try json()["permissions"]?.text == "[]")
        #expect(try json()["questions"]?.elements.count == 1)
    }

    @Test(arguments: [
        ("permission.resolved", #"{"request_id":"p","reply":"expired"}"#),
        ("engine.permission.wait.timeout", #"{"requestID":"p","tool":"bash"}"#),
    ])
    mutating func permissionThatNobodyGaveExpiresItsTool(_ event: (type: String, properties: String)) throws {
        try fold("session.tool_call", #"{"call_id":"call_1","tool":"bash","args":{"a":1},"state":"pending"}"#)
        try fold("permission.request", #"{"request_id":"p","tool":"bash"}"#)
        try fold(event.type, event.properties)
        try fold("session.tool_result", #"{"call_id":"p","tool":"bash","state":"failed","error":"late"}"#)
        #expect(
            try json()["tools"]?.text
                == #"[{"id":"p","tool":"bash","arguments":{"a":1},"status":"permission_expired","result":null,"error":"late"}]"#
        )
        #expect(try json()["permissions"]?.text == "[]")
    }

    @Test mutating func usageIsSummedUp() throws {
        try fold("run.usage", #"{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"source":"provider"}"#)
        try fold("run.usage", #"{"prompt_tokens":10,"completion_tokens":20,"source":"estimated"}"#)
        #expect(
            try json()["usage"]?.text
                == #"{"prompt_tokens":11,"completion_tokens":22,"total_tokens":33,"estimated":true}"#
        )
    }

    @Test mutating func todosAreTheLastOnes() throws {
        try fold("todo.updated", #"{"todos":[{"content":"a"}]}"#)
        try fold("todo.updated", #"{"todos":[{"content":"b"}]}"#)
        #expect(try json()["todos"]?.text == #"[{"content":"b"}]"#)
    }

    @Test(arguments: [
        ("run.completed", "completed"), ("run.cancelled", "cancelled"), ("run.timeout", "timeout"),
        ("run.failed", "failed"),
    ])
    mutating func terminalEventIsTheStatus(_ type: String, _ status: String) throws {
        try fold(type, #"{"error":{"name":"provider_error","message":"no"},"category":"provider"}"#)
        #expect(try json()["status"]?.string == status)
        #expect((try json()["error"] != nil) == (type == "run.failed"))
    }

    @Test mutating func failureSaysItsCategory() throws {
        try fold("run.failed", #"{"error":{"name":"provider_error","code":"C","message":"no"},"category":"provider"}"#)
        #expect(
            try json()["error"]?.text
                == #"{"name":"provider_error","code":"C","message":"no","category":"provider"}"#
        )
    }

    @Test(arguments: [(1, 1, false), (1, 0, true), (0, 0, false), (3, 2, true)])
    mutating func lossesThatWereNotHealedMakeItIncomplete(_ lost: Int, _ healed: Int, _ expected: Bool) throws {
        try fold("stream.resynced", #"{"gaps":\#(lost),"duplicates":9,"truncated":0,"healed":\#(healed)}"#)
        #expect(state.isIncomplete == expected)
    }

    @Test mutating func lossesMayBeAnyNumber() throws {
        try fold("stream.resynced", #"{"gaps":\#(Int64.max),"truncated":\#(Int64.max),"healed":1}"#)
        #expect(state.isIncomplete)
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct RequestMemoryTests {
    private func event(_ type: String, _ properties: String) throws -> EngineEvent {
        EngineEvent(type: type, properties: try JSONText(checking: properties))
    }

    @Test func eachRequestIsToldOnceAndEachEndOnce() throws {
        var memory = RequestMemory()
        let asked = try event("permission.asked", #"{"requestID":"p","sessionID":"s"}"#)
        let replied = try event("permission.replied", #"{"requestID":"p","reply":"once"}"#)
        let timeout = try event("permission.wait.timeout", #"{"requestID":"p"}"#)
        #expect(
            [asked, asked, timeout, replied, replied, timeout, asked].map { memory.admits($0, round: 1) } == [
                true, false, true, true, false, false, false,
            ]
        )
    }

    @Test func otherEventsPass() throws {
        var memory = RequestMemory()
        let other = try event("session.status", #"{"requestID":"p","id":"p"}"#)
        #expect([other, other].map { memory.admits($0, round: 1) } == [true, true])
        let nameless = try event("permission.asked", "{}")
        #expect([nameless, nameless].map { memory.admits($0, round: 1) } == [true, true])
    }

    @Test func whatWasNotDeliveredMayComeAgain() throws {
        var memory = RequestMemory()
        let asked = try event("question.asked", #"{"id":"q"}"#)
        #expect(memory.admits(asked, round: 1) == true)
        memory.forget(asked)
        #expect(memory.admits(asked, round: 1) == true)
    }

    @Test func pendingOnesAreKnown() throws {
        var memory = RequestMemory()
        _ = memory.admits(try event("question.asked", #"{"id":"q"}"#), round: 1)
        #expect(memory.isPending("q"))
        _ = memory.admits(try event("question.replied", #"{"id":"q","ok":true}"#), round: 1)
        #expect(!memory.isPending("q"))
    }

    @Test func memoryIsBounded() throws {
        var memory = RequestMemory()
        for number in 0..<5_000 { _ = memory.admits(try event("question.asked", #"{"id":"\#(number)"}"#), round: 1) }
        #expect(memory.entries.count <= 1_024)
        #expect(memory.isPending("4999"))
    }

    @Test func listsSayWhatIsPending() throws {
        let rows = #"""
            {"requests":[{"id":"a","sessionID":"s","status":"pending","expiresAtMs":200,"tool":"write","args":{"x":1}},
            {"id":"b","sessionID":"s","status":"pending","expiresAtMs":50},
            {"id":"c","sessionID":"s","status":"once","decidedBy":"me","decidedAtMs":3,"expiresAtMs":200}]}
            """#
        let list = try #require(RequestList(permissions: JSONText(checking: rows), now: 100))
        #expect(list.entries.filter(\.value.isPending).keys.sorted() == ["a"])
        #expect(
            list.entries["a"]?.asked.properties.text
                == #"{"requestID":"a","sessionID":"s","status":"pending","expiresAtMs":200,"tool":"write","args":{"x":1}}"#
        )
        #expect(
            list.entries["c"]?.settled.properties.text
                == #"{"requestID":"c","sessionID":"s","reply":"once","decidedBy":"me","decidedAtMs":3}"#
        )
        #expect(list.entries["b"]?.settled.properties["reply"]?.string == "expired")
    }

    @Test(arguments: ["{}", "[]", "null", #"{"requests":5}"#]) func otherAnswersAreNoList(text: String) throws {
        #expect(RequestList(permissions: try JSONText(checking: text), now: 0) == nil)
        #expect(RequestList(questions: try JSONText(checking: #"{"questions":[]}"#), now: 0) == nil)
        #expect(RequestList(permissions: nil, now: 0) == nil)
    }
}

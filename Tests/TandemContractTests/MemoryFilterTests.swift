import TandemJSON
import Testing

@testable import TandemContract

@Suite struct MemoryFilterTests {
    private let reply = #"""
        {"results":[
        {"id":"1","metadata":{"tags":["a","b"],"session_id":"s"},"linkage":{"origin_session_id":"other"}},
        {"id":"2","metadata":{"tags":["a"]},"linkage":{"origin_session_id":"s"}},
        {"id":"3","metadata":null,"linkage":{}},
        {"id":"4"}],"scopes_used":["session"],"audit_id":"x"}
        """#

    private func found(_ arguments: String) throws -> (ids: [String], result: JSONText) {
        let search = try operation("memory.search")
        let plan = try Plan(search, json(arguments))
        let result = try plan.result(of: .json(json(reply)), search, now: 0).get()
        return ((result["results"]?.elements ?? []).compactMap { $0["id"]?.string }, result)
    }

    @Test(arguments: [
        (#"{"query":"q"}"#, ["1", "2", "3", "4"]), (#"{"query":"q","tags":["a"]}"#, ["1", "2"]),
        (#"{"query":"q","tags":["b","a"]}"#, ["1"]), (#"{"query":"q","tags":["c"]}"#, []),
        (#"{"query":"q","tags":[]}"#, ["1", "2", "3", "4"]), (#"{"query":"q","tags":"b"}"#, ["1"]),
        (#"{"query":"q","session_id":"s"}"#, ["1", "2"]), (#"{"query":"q","sessionId":"other"}"#, []),
        (#"{"query":"q","tags":["b"],"session_id":"s"}"#, ["1"]),
        (#"{"query":"q","tags":null,"session_id":null}"#, ["1", "2", "3", "4"]),
    ])
    func resultsAreNarrowedByTagsAndSession(arguments: String, ids: [String]) throws {
        let found = try found(arguments)
        #expect(found.ids == ids)
        #expect(found.result["count"]?.integer == Int64(ids.count))
        #expect(found.result["scopes_used"]?.text == #"["session"]"#)
    }

    @Test func whatIsKeptHasItsDocumentedNames() throws {
        let item = try #require(try found(#"{"query":"q","tags":["b"]}"#).result["results"]?.elements.first)
        #expect(item["tags"]?.text == #"["a","b"]"#)
    }

    @Test func theArgumentsAreNotSent() throws {
        let body = try plan("memory.search", #"{"query":"q","tags":["a"],"session_id":"s","limit":3}"#).request.body
        #expect(body?["tags"] == nil)
        #expect(body?["session_id"] == nil)
        #expect(body?["limit"]?.integer == 3)
    }

    @Test(arguments: [#""tags":[1]"#, #""tags":{}"#, #""session_id":5"#]) func otherValuesAreRefused(member: String)
        throws
    {
        let failure = try #require(throws: Failure.self) {
            _ = try plan("memory.search", #"{"query":"q","# + member + "}")
        }
        #expect(failure.name == .invalidArgument)
    }

    @Test func strictlyTheyAreSent() throws {
        let body = try Plan(operation("memory.search"), json(#"{"query":"q","tags":["a"]}"#), defaults: strict).request
            .body
        #expect(body?.text == #"{"query":"q","tags":["a"]}"#)
    }
}

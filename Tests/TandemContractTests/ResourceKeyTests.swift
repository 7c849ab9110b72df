import TandemJSON
import Testing

@testable import TandemContract

@Suite struct ResourceKeyTests {
    private static let keys = [
        ("swarm.active_tasks", "swarm.active_tasks"), ("run/1/status", "run/1/status"), ("mission/m", "mission/m"),
        ("project/demo/settings", "project/demo/settings"), ("team/t", "team/t"), ("project/", "project/"),
        ("project/any", "project/any"), ("project/any/x", "project/any/project/any/x"),
        ("agent-config/a", "project/any/agent-config/a"),
        ("run", "project/any/run"), ("running/1", "project/any/running/1"),
        ("swarm.active_tasks2", "project/any/swarm.active_tasks2"),
        ("100%", "project/any/100%25"), ("%2F", "project/any/%252F"), ("/a", "project/any/%2Fa"),
        ("//a", "project/any/%2F%2Fa"), ("a//b", "project/any/a/%2Fb"), ("a///b", "project/any/a/%2F%2Fb"),
        ("a/", "project/any/a/"), ("a//", "project/any/a/%2F"), ("/", "project/any/%2F"), ("//", "project/any/%2F%2F"),
        (".", "project/any/%2E"), ("..", "project/any/%2E%2E"), ("a/../b", "project/any/a/%2E%2E/b"),
        ("a/./b", "project/any/a/%2E/b"), ("...", "project/any/..."), (".a", "project/any/.a"),
        (" a ", "project/any/%20a%20"), ("a b", "project/any/a b"), ("   ", "project/any/%20%20%20"),
        (" /a", "project/any/%20/a"), ("é/ü", "project/any/é/ü"), ("run/\u{301}", "run/\u{301}"),
        ("%\u{301}", "project/any/%25\u{301}"),
    ]

    @Test(arguments: keys) func keysOutsideTheRuleHaveAPlaceOfTheirOwn(key: String, wire: String) {
        #expect(Array(ResourceKey.wire(key).utf8) == Array(wire.utf8))
        #expect(!wire.utf8.starts(with: "project/any/".utf8) || ResourceKey.restored(wire) == key)
    }

    @Test(arguments: [
        ("", ""), ("r", "r"), ("run", "run"), ("run/", "run/"), ("run/1", "run/1"), ("project/a", "project/a"),
        ("project/any/", "project/any/project/any/"), ("swarm.active", "swarm.active"),
        ("swarm.active_tasks", "swarm.active_tasks"), ("agent-config/", "project/any/agent-config/"),
        ("x%", "project/any/x%25"), ("runs", "project/any/runs"),
    ])
    func prefixFindsWhatBeginsWithIt(prefix: String, wire: String) {
        #expect(ResourceKey.wirePrefix(prefix) == wire)
    }

    @Test(arguments: [
        ("project/any/%zz", "%zz"), ("project/any/a%2", "a%2"), ("project/any/%+1", "%+1"), ("project/any/%ff", "%ff"),
        ("project/any/%c3%a9", "é"), ("project/any/", ""), ("other/%20", "other/%20"),
    ])
    func keysOfOthersAreLeftReadable(wire: String, key: String) { #expect(ResourceKey.restored(wire) == key) }

    @Test(arguments: [
        (
            #"{"key":"project/any/a","value":{"key":"project/any/b"},"rev":1}"#,
            #"{"key":"a","value":{"key":"project/any/b"},"rev":1}"#
        ),
        (
            #"{"items":[{"key":"project/any/a"},{"key":"run/1"},7],"count":3}"#,
            #"{"items":[{"key":"a"},{"key":"run/1"},7],"count":3}"#
        ),
        (#"{"deleted":true,"key":"project/any/%2Fa"}"#, #"{"deleted":true,"key":"/a"}"#),
        (#"{"key":7}"#, #"{"key":7}"#), ("[1]", "[1]"), ("null", "null"),
    ])
    func keysOfRecordsComeBack(value: String, result: String) throws {
        #expect(try ResourceKey.restored(in: json(value)).text == result)
    }

    @Test(arguments: [
        ("resources.write", #"{"key":"a/b","value":1}"#), ("resources.put_key", #"{"key":"a/b","value":1}"#),
        ("resources.get", #"{"key":"a/b"}"#), ("resources.patch_key", #"{"key":"a/b","patch":{}}"#),
        ("resources.delete", #"{"key":"a/b"}"#), ("resources.delete_key", #"{"key":"a/b"}"#),
    ])
    func everyOperationTakesAnyKey(name: String, arguments: String) throws {
        #expect(try plan(name, arguments).request.path == [.init("key", "project/any/a/b")])
        let strict = try Plan(operation(name), json(arguments), defaults: strict)
        #expect(strict.request.path == [.init("key", "a/b")])
    }

    @Test(arguments: ["resources.list", "resources.events"]) func prefixesAreTranslated(name: String) throws {
        #expect(try plan(name, #"{"prefix":"a/"}"#).request.query == [.init("prefix", "project/any/a/")])
        #expect(try plan(name, #"{"prefix":""}"#).request.query == [.init("prefix", "")])
    }

    @Test func emptyKeyIsRefused() throws {
        let failure = try #require(throws: Failure.self) { _ = try plan("resources.get", #"{"key":""}"#) }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains("key"))
    }

    @Test func resultsAndErrorsNameTheKeyOfTheCaller() throws {
        let get = try operation("resources.get")
        let plan = try plan("resources.get", #"{"key":"a/b"}"#)
        let record = Reply.json(try json(#"{"resource":{"key":"project/any/a/b","value":1}}"#))
        #expect(try plan.result(of: record, get, now: 0).get().text == #"{"key":"a/b","value":1}"#)
        let refusal = Reply.json(
            try json(#"{"error":"none","code":"RESOURCE_NOT_FOUND","key":"project/any/a/b"}"#),
            status: 404
        )
        let failure = try #require(throws: Failure.self) { _ = try plan.result(of: refusal, get, now: 0).get() }
        #expect(failure.name == .notFound)
        #expect(failure.detail?["key"]?.string == "a/b")
    }

    @Test func strictlyResultsAreTheEngines() throws {
        let plan = try Plan(operation("resources.get"), json(#"{"key":"a"}"#), defaults: strict)
        let reply = Reply.json(try json(#"{"resource":{"key":"project/any/a"}}"#))
        #expect(try plan.result(of: reply, operation("resources.get"), now: 0).get()["key"]?.string == "project/any/a")
    }

    @Test func listGivesItsItemsUnderBothNames() throws {
        let reply = Reply.json(try json(#"{"resources":[{"key":"project/any/a"}],"count":1}"#))
        let result = try plan("resources.list", "{}").result(of: reply, operation("resources.list"), now: 0).get()
        #expect(result.text == #"{"resources":[{"key":"a"}],"count":1,"items":[{"key":"a"}]}"#)
    }

    @Test func eventsNameTheKeyOfTheCaller() throws {
        let frame = try json(#"{"type":"resource.updated","properties":{"key":"project/any/a","rev":1},"envelope":{}}"#)
        let properties = try #require(frame["properties"])
        let event = EngineEvent(type: "resource.updated", properties: properties, received: frame)
        let restored = ResourceKey.restored(in: event)
        #expect(restored.properties.text == #"{"key":"a","rev":1}"#)
        #expect(restored.frame.text == #"{"type":"resource.updated","properties":{"key":"a","rev":1},"envelope":{}}"#)
        let other = EngineEvent(type: "todo.updated", properties: properties, received: frame)
        #expect(ResourceKey.restored(in: other) == other)
    }
}

import TandemJSON
import Testing

@testable import TandemProviders

@Suite struct ToolAliasesTests {
    private func tools(_ names: String...) -> [ModelTool] {
        names.map { ModelTool(name: $0, description: "", parameters: .emptyObject) }
    }

    @Test(arguments: [
        ("add", "add"), ("a-b_C9", "a-b_C9"), ("mcp.kb.find", "mcp_kb_find"), ("grüße", "gr__e"), ("", "_"),
        (String(repeating: "x", count: 80), String(repeating: "x", count: 64)),
    ]) func aNameIsMadeOfWhatServersTake(name: String, alias: String) {
        let aliases = ToolAliases(tools(name))
        #expect(aliases.alias(of: name) == alias)
        #expect(aliases.name(of: alias) == name)
    }

    @Test func noTwoToolsShareAName() {
        let aliases = ToolAliases(tools("a.b", "a_b", "a-b", "a:b"))
        #expect(["a.b", "a_b", "a-b", "a:b"].map { aliases.alias(of: $0) } == ["a_b", "a_b_2", "a-b", "a_b_3"])
        #expect(["a_b", "a_b_2", "a-b", "a_b_3"].map { aliases.name(of: $0) } == ["a.b", "a_b", "a-b", "a:b"])
    }

    @Test func whatWasNotOfferedKeepsItsName() {
        let aliases = ToolAliases(tools("a.b"))
        #expect(aliases.name(of: "other") == "other")
        #expect(aliases.alias(of: "old.tool") == "old_tool")
    }

    @Test func eventsGetTheToolsOwnNames() {
        let aliases = ToolAliases(tools("a.b"))
        let calls = [ModelToolCall(id: "1", name: "a_b", arguments: "{}")]
        #expect(
            ModelEvent.toolCalls(calls).naming(aliases)
                == .toolCalls([ModelToolCall(id: "1", name: "a.b", arguments: "{}")])
        )
        #expect(ModelEvent.text("a_b").naming(aliases) == .text("a_b"))
    }
}

import TandemContract
import TandemJSON
import TandemProviders
import Testing

@testable import TandemEngine

@Suite struct ToolOfferTests {
    private func offers(_ names: String..., answersQuestions: Bool = false) -> HostOffers {
        var offers = HostOffers()
        offers.tools = names.map { HostTool.named($0) }
        offers.models = [
            HostModel(name: "plain", contextTokens: nil, takesTools: false),
            HostModel(name: "able", contextTokens: nil, takesTools: true),
        ]
        offers.answersQuestions = answersQuestions
        return offers
    }

    private func names(
        _ offers: HostOffers,
        _ allowlist: [String]? = nil,
        _ mode: ToolMode = .auto,
        model: ModelChoice = .echo
    ) -> [String] {
        var prompt = Prompt(parts: [])
        prompt.toolAllowlist = allowlist
        prompt.toolMode = mode
        return ToolOffer(offers, to: prompt, of: model).names
    }

    @Test(
        arguments: [
            (nil, ["get_a", "get_b", "Put-C"]), ([], []), (["get_a"], ["get_a"]), (["get_*"], ["get_a", "get_b"]),
            (["GET-A", "put_c"], ["get_a", "Put-C"]), (["nothing"], []),
            (["*"], ["get_a", "get_b", "Put-C", "question", "todo_write"]), (["todowrite"], ["todo_write"]),
            (["question", "get_b"], ["get_b", "question"]), (["get"], []), (["*a"], []),
        ] as [([String]?, [String])]
    ) func theAllowlistSaysWhatIsOffered(allowlist: [String]?, expected: [String]) {
        #expect(names(offers("get_a", "get_b", "Put-C"), allowlist) == expected)
    }

    @Test func questionsAreOfferedWhereTheHostAnswersThem() {
        #expect(names(offers("a", answersQuestions: true)) == ["a", "question"])
        #expect(names(offers("a", answersQuestions: true), ["a"]) == ["a"])
        #expect(names(offers("a", answersQuestions: true), nil, .none) == [])
    }

    @Test func questionsAreOfferedWhereThePromptsSenderAnswersThem() {
        var prompt = Prompt(parts: [])
        prompt.answersQuestions = true
        #expect(ToolOffer(HostOffers(), to: prompt, of: .echo).names == ["question"])
        #expect(ToolOffer(offers("a"), to: prompt, of: .echo).names == ["a", "question"])
        prompt.toolAllowlist = ["a"]
        #expect(ToolOffer(offers("a"), to: prompt, of: .echo).names == ["a"])
    }

    @Test func theHostsToolGoesBeforeTheEnginesOwn() {
        let offer = ToolOffer(offers("question", answersQuestions: true), to: Prompt(parts: []), of: .echo)
        #expect(offer.tools.map(\.kind) == [.host])
    }

    @Test func aModelThatTakesNoToolsIsOfferedNone() {
        #expect(names(offers("a"), model: ModelChoice(hosted: "plain")) == [])
        #expect(names(offers("a"), model: ModelChoice(hosted: "able")) == ["a"])
        #expect(names(offers("a"), model: ModelChoice(hosted: "gone")) == ["a"])
    }

    @Test func aToolIsFoundByItsNameOrTheOneThatIsMeant() {
        let offer = ToolOffer(offers("read-file", "read_file", "Other"), to: Prompt(parts: []), of: .echo)
        #expect(offer.tool("read_file")?.name == "read_file")
        #expect(offer.tool("functions.other")?.name == "Other")
        #expect(offer.tool("READ_FILE") == nil)
    }

    @Test(arguments: BuiltInTool.allCases) func aSchemaIsAnObjectsAndValid(tool: BuiltInTool) throws {
        let schema = try JSONText(checking: tool.model.parameters.text)
        #expect(schema["type"]?.string == "object")
        let required = try #require(schema["required"]?.elements.first?.string)
        #expect(schema.at("properties", required, "items", "properties") != nil)
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct RunTermsTests {
    private func terms(_ permissions: String?, _ questions: String? = nil) throws -> RunTerms {
        try RunTerms(
            permissions: try permissions.map { try JSONText(checking: $0) },
            questions: try questions.map { try JSONText(checking: $0) }
        )
    }

    @Test func withoutTermsTheHostIsAsked() throws {
        for terms in [try terms(nil), try terms("null", "null"), try terms("{}", "{}")] {
            #expect(terms.decision(of: "bash") == .ask)
            #expect(terms.questions == .ask)
        }
    }

    @Test(arguments: [
        ("bash", RunTerms.Decision.deny), ("read", .allow), ("read_file", .ask), ("mcp.kb.search", .allow),
        ("mcp.kb", .manual), ("mcp", .deny), ("other", .deny),
    ])
    func longestNameDecides(_ tool: String, _ expected: RunTerms.Decision) throws {
        let policy = #"""
            {"default":"deny","by_tool":{"mcp.*":"ask","mcp.kb*":"manual","mcp.kb.*":"allow","read":"allow","read*":"ask"}}
            """#
        #expect(try terms(policy).decision(of: tool) == expected)
    }

    @Test func wholeNameGoesBeforeItsBeginning() throws {
        let policy = #"{"by_tool":{"read*":"deny","read":"allow"}}"#
        #expect(try terms(policy).decision(of: "read") == .allow)
        #expect(try terms(#"{"by_tool":{"read":"allow","read*":"deny"}}"#).decision(of: "read") == .allow)
        #expect(try terms(policy).decision(of: "reads") == .deny)
    }

    @Test func starAloneIsEveryTool() throws {
        #expect(try terms(#"{"by_tool":{"*":"allow"}}"#).decision(of: "bash") == .allow)
    }

    @Test func questionsHaveTheirPolicy() throws {
        #expect(try terms(nil, #"{"default":"answer","answer":"yes"}"#).questions == .answer("yes"))
        #expect(try terms(nil, #"{"default":"reject"}"#).questions == .reject)
        #expect(try terms(nil, #"{"default":"manual"}"#).questions == .manual)
    }

    private static let impossible: [(String?, String?, String)] = [
        ("[]", nil, "permissions"), (#"{"default":"maybe"}"#, nil, "permissions.default"),
        (#"{"by_tool":[]}"#, nil, "permissions.by_tool"), (#"{"by_tool":{"a":1}}"#, nil, "permissions.by_tool.a"),
        (#"{"byTool":{}}"#, nil, "byTool"), (nil, "1", "questions"),
        (nil, #"{"default":"allow"}"#, "questions.default"),
        (nil, #"{"default":null}"#, "questions.default"), (nil, #"{"default":"answer"}"#, "questions.answer"),
        (nil, #"{"reply":"x"}"#, "reply"),
    ]

    @Test(arguments: impossible)
    func termsThatCannotBeAreNamed(_ permissions: String?, _ questions: String?, _ name: String) throws {
        let failure = try #require(throws: Failure.self) { _ = try terms(permissions, questions) }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains(name))
    }
}

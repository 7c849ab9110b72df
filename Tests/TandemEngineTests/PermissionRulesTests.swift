import TandemJSON
import Testing

@testable import TandemEngine

@Suite struct PermissionRulesTests {
    private func verdict(_ rules: String, on tool: String = "file_write") throws -> PermissionRules.Verdict? {
        PermissionRules.verdict(try JSONText(checking: rules), on: tool)
    }

    @Test(
        arguments: [
            ("[]", nil), (#"[{"permission":"file_write","action":"allow"}]"#, .allow),
            (#"[{"permission":"other","action":"allow"}]"#, nil), (#"[{"permission":"file_*","action":"once"}]"#, .ask),
            (#"[{"permission":"*","pattern":"file_write","action":"reject"}]"#, .deny),
            (#"[{"permission":"*","pattern":"other","action":"deny"}]"#, nil),
            (#"[{"permission":"*","action":"ask"},{"permission":"*","action":"allow"}]"#, .allow),
            (#"[{"permission":"*","action":"allow"},{"permission":"*","action":"ask"}]"#, .ask),
            (#"[{"permission":"*","action":"deny"},{"permission":"*","action":"allow"}]"#, .deny),
            (#"[{"permission":"*","action":"dance"}]"#, nil),
        ] as [(String, PermissionRules.Verdict?)]
    ) func aRefusalCountsElseTheLatestRule(
        rules: String,
        expected: PermissionRules.Verdict?
    ) throws { #expect(try verdict(rules) == expected) }

    @Test func whatIsNoRuleIsLeftOut() throws {
        let context = try EngineContext(EngineConfiguration())
        let given = try JSONText(
            checking: #"[{"permission":"a","action":"deny"},{"permission":"b"},3,{"permission":"c","action":"x"}]"#
        )
        let rules = PermissionRules.add(given.elements, to: .emptyArray, context)
        #expect(rules.elements.map { $0["permission"]?.string } == ["a"])
        #expect(rules.elements.first?["pattern"]?.string == "a")
        #expect(rules.elements.first?["id"]?.string?.isEmpty == false)
    }
}

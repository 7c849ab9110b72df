import Testing

@testable import TandemContract

@Suite struct PromptStepsTests {
    private let configured = #"{"default":"p","providers":{"p":{"default_model":"m"}}}"#
    private let accepted = #"{"runID":"r"}"#
    private let readDefault = "providers.config"
    private let readSession = "sessions.get session_id=s"

    private func prompts(
        _ replies: [String],
        _ before: ModelKnowledge = ModelKnowledge(),
        arguments: String = #"{"session_id":"s","prompt":"hi"}"#
    ) throws -> Performance {
        try Performance("sessions.prompt_async", arguments, replies, completesModel: true, before)
    }

    private func body(_ performance: Performance) -> String? { performance.requests.last?.body?.text }

    private let plain = #"{"parts":[{"type":"text","text":"hi"}]}"#
    private let completed = #"{"parts":[{"type":"text","text":"hi"}],"model":{"providerID":"p","modelID":"m"}}"#

    @Test func defaultIsAddedWhereTheSessionHasNoModel() throws {
        let first = try prompts([configured, #"{"id":"s"}"#, accepted])
        #expect(first.lines.dropLast() == [readDefault, readSession])
        #expect(body(first) == completed)
        let second = try prompts([accepted], try #require(first.knowledge))
        #expect(second.requests.count == 1)
        #expect(body(second) == completed)
    }

    @Test(arguments: [
        #"{"default":null,"providers":{}}"#, "{}", #"{"default":"q","providers":{"p":{"default_model":"m"}}}"#,
    ])
    func withoutADefaultNoSessionIsRead(configuration: String) throws {
        let first = try prompts([configuration, accepted])
        #expect(first.lines.dropLast() == [readDefault])
        #expect(body(first) == plain)
        let other = try prompts(
            [accepted],
            try #require(first.knowledge),
            arguments: #"{"session_id":"t","prompt":"hi"}"#
        )
        #expect(other.requests.count == 1)
        #expect(body(other) == plain)
    }

    @Test func sessionThatIsKnownToHaveAModelNeedsNothing() throws {
        var known = ModelKnowledge()
        known.note(session: try json(#"{"id":"s","model":{"providerID":"x","modelID":"y"}}"#))
        #expect(body(try prompts([accepted], known)) == plain)
    }

    @Test func sessionThatHasAModelKeepsIt() throws {
        let performance = try prompts([configured, #"{"id":"s","model":{"provider_id":"x"}}"#, accepted])
        #expect(body(performance) == plain)
    }

    @Test func promptWithAModelReadsNothing() throws {
        let arguments = #"{"session_id":"s","prompt":"hi","model":{"providerID":"x","modelID":"y"}}"#
        #expect(try prompts([accepted], arguments: arguments).requests.count == 1)
    }

    @Test(arguments: [["404", #"{"runID":"r"}"#], ["[]", #"{"runID":"r"}"#]])
    func whatCannotBeReadEndsNothing(replies: [String]) throws {
        #expect(body(try prompts(replies)) == plain)
    }

    @Test(arguments: ["404", "[]"])
    func sessionThatCannotBeReadIsPromptedAsItIs(reply: String) throws {
        #expect(body(try prompts([configured, reply, accepted])) == plain)
    }

    @Test func sessionIsTheOneThatWasAskedFor() throws {
        let first = try prompts([configured, #"{"id":"another"}"#, accepted])
        #expect(try #require(first.knowledge)["s"] == false)
    }

    @Test func changedConfigurationIsReadAgain() throws {
        var known = try #require(try prompts(["{}", accepted]).knowledge)
        known.forgetDefault()
        #expect(try prompts(["{}", accepted], known).lines.first == readDefault)
    }
}

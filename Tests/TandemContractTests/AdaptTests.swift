import TandemJSON
import Testing

@testable import TandemContract

@Suite struct AdaptTests {
    private func adapted(_ name: String, _ value: String, beside siblings: String = "{}") throws -> String {
        try Adapt.named(name, json(value), siblings: json(siblings).members).text
    }

    @Test(arguments: [
        (#""hi""#, #"[{"type":"text","text":"hi"}]"#),
        (#""a\"b\n\u00e9""#, #"[{"type":"text","text":"a\"b\n\u00e9"}]"#),
        (#"[{"type":"text"}]"#, #"[{"type":"text"}]"#),
        ("null", "null"),
        (#"{"a":1}"#, #"{"a":1}"#),
    ])
    func textBecomesOnePart(value: String, result: String) throws {
        #expect(try adapted("one_text_part", value) == result)
    }

    @Test(arguments: [
        (#""p/m""#, "{}", #"{"providerID":"p","modelID":"m"}"#),
        (#""p/m/with/slashes""#, "{}", #"{"providerID":"p","modelID":"m/with/slashes"}"#),
        (#""m/x""#, #"{"provider":"q"}"#, #"{"providerID":"q","modelID":"m/x"}"#),
        (#""m""#, #"{"provider":"q"}"#, #"{"providerID":"q","modelID":"m"}"#),
        (#"{"providerID":"a"}"#, "{}", #"{"providerID":"a"}"#),
        ("null", "{}", "null"),
    ])
    func modelTextNamesProviderAndModel(value: String, siblings: String, result: String) throws {
        #expect(try adapted("model_text", value, beside: siblings) == result)
    }

    @Test(arguments: ["m", ""]) func modelWithoutProviderIsRefused(text: String) throws {
        let failure = try #require(throws: Failure.self) { _ = try adapted("model_text", "\"\(text)\"") }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains("provider"))
    }

    @Test(arguments: ["default_provider", "provider_id"]) func defaultModelStandsUnderItsProvider(name: String) throws {
        let result = try adapted("default_model", #""m""#, beside: #"{"\#(name)":"p"}"#)
        #expect(result == #"{"p":{"default_model":"m"}}"#)
    }

    @Test func defaultModelThatIsAnObjectStays() throws {
        #expect(try adapted("default_model", #"{"p":1}"#) == #"{"p":1}"#)
    }

    @Test func defaultModelNeedsItsProvider() throws {
        let failure = try #require(throws: Failure.self) { _ = try adapted("default_model", #""m""#) }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains("provider_id"))
    }

    private static let values = [
        ("cron_text", #""0 8 * * *""#, #"{"cron":{"expression":"0 8 * * *"}}"#),
        ("cron_text", #"{"a":1}"#, #"{"a":1}"#),
        ("type_text", #""manual""#, #"{"type":"manual"}"#), ("path_source", #""/a""#, #"{"kind":"path","path":"/a"}"#),
        ("misfire_text", #"{"misfire_policy":"skip"}"#, #"{"misfire_policy":{"type":"skip"}}"#),
        ("comma_list", #"["a","b"]"#, #""a,b""#), ("comma_list", "[]", "null"), ("comma_list", #""a""#, #""a""#),
        ("json_text", #""{\"a\":1}""#, #"{"a":1}"#), ("json_text", #""a""#, #""a""#),
        ("without_nulls", #"{"a":null,"b":{"c":null}}"#, #"{"b":{"c":null}}"#),
        ("skill_location", #""workspace""#, #""project""#), ("skill_location", #""else""#, #""else""#),
        ("skill_location", #""user""#, #""global""#), ("skill_location", #""builtin""#, #""global""#),
        ("skill_location", #""project""#, #""project""#), ("skill_location", "7", "7"),
        ("approve_or_reject", "true", #""approve""#), ("approve_or_reject", "false", #""reject""#),
        ("approve_or_reject", #""reject""#, #""reject""#), ("approve_or_reject", "null", "null"),
        ("agent_role", #""builder""#, #""worker""#), ("agent_role", #""tester""#, #""tester""#),
        ("instance_status", #""active""#, #""running""#), ("instance_status", #""queued""#, #""queued""#),
        ("optimization_action", #""queue_replay""#, #""queue_baseline_replay""#),
        ("optimization_action", #""approve""#, #""approve_winner""#),
        ("optimization_action", #""reject""#, #""reject_winner""#), ("optimization_action", #""start""#, #""start""#),
        ("cron_text", "null", "null"), ("type_text", #"{"type":"x"}"#, #"{"type":"x"}"#),
        ("path_source", #"{"kind":"path"}"#, #"{"kind":"path"}"#),
        ("misfire_text", #"{"misfire_policy":{"type":"skip"}}"#, #"{"misfire_policy":{"type":"skip"}}"#),
        ("misfire_text", #"{"type":"manual"}"#, #"{"type":"manual"}"#), ("misfire_text", #""x""#, #""x""#),
        ("json_text", #""[1]""#, #""[1]""#), ("json_text", #"{"a":1}"#, #"{"a":1}"#),
        ("without_nulls", "[null]", "[null]"),
    ]

    @Test(arguments: values) func valuesAreTranslated(name: String, value: String, wanted: String) throws {
        #expect(try adapted(name, value) == wanted)
    }

    @Test func providersDefaultsAreOneConfiguration() throws {
        for arguments in [#"{"provider_id":"p","model_id":"m"}"#, #"{"model_id":"m","provider_id":"p"}"#] {
            let body = try plan("providers.set_defaults", arguments).request.body
            #expect(body?.text == #"{"default_provider":"p","providers":{"p":{"default_model":"m"}}}"#)
        }
    }

    @Test func providerBesideTheModelIsSentToo() throws {
        let body = try plan("sessions.create", #"{"provider":"p","model":"m"}"#).request.body
        #expect(body?.canonical == #"{"model":{"modelID":"m","providerID":"p"},"provider":"p"}"#)
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct CallOptionsTests {
    private func options(_ name: String, _ value: String) throws -> CallOptions {
        var options = CallOptions()
        try options.set(name, json(value))
        return options
    }

    private func refusal(_ name: String, _ value: String) throws -> FailureName {
        try #require(throws: Failure.self) { _ = try options(name, value) }.name
    }

    @Test(arguments: [("-1", -1), ("0", 0), ("20000", 20_000), ("1.0", 1)] as [(String, Int64)])
    func timeoutIsAWholeNumberFromMinusOneOn(value: String, milliseconds: Int64) throws {
        #expect(try options("timeout_ms", value).timeoutMilliseconds == milliseconds)
    }

    @Test(arguments: [
        ("timeout_ms", "-2"), ("timeout_ms", "1.5"), ("timeout_ms", #""5""#), ("timeout_ms", "9007199254740993"),
        ("timeout_ms", "null"), ("take", "0"), ("take", "-1"), ("take", "true"), ("reply_limit_bytes", "0"),
        ("retries", "-1"), ("reconnect", "1"), ("strict", #""true""#), ("strict", "null"), ("vocabulary", "1"),
        ("coalesce_ms", "-1"), ("coalesce_ms", #""5""#), ("fold", "1"),
        ("vocabulary", #""other""#), ("vocabulary", "null"),
    ])
    func valueOfAnotherKindIsRefused(name: String, value: String) throws {
        #expect(try refusal(name, value) == .invalidArgument)
    }

    @Test func optionsAreTakenIn() throws {
        #expect(try options("tag", "[1]").tag?.text == "[1]")
        #expect(try options("take", "3").take == 3)
        #expect(try !options("reconnect", "false").reconnects)
        #expect(try options("strict", "true").isStrict)
        #expect(try options("vocabulary", #""engine""#).vocabulary == .engine)
        #expect(try options("vocabulary", #""normalized""#).vocabulary == .normalized)
        #expect(try options("vocabulary", #""both""#).vocabulary == .both)
        #expect(try options("coalesce_ms", "5").coalesceMilliseconds == 5)
        #expect(try options("fold", "true").folds)
        #expect(try options("reply_limit_bytes", "9").replyLimitBytes == 9)
    }

    @Test(arguments: [
        ("on_conflict", #""fail""#), ("on_conflict", "null"), ("coalesce_ms", "null"), ("fold", "null"),
        ("retries", "2"), ("act_as", #""me""#), ("headers", "{}"),
    ])
    func valuesThatChangeNothingAreTaken(name: String, value: String) throws {
        #expect(throws: Never.self) { _ = try options(name, value) }
    }

    @Test func whatIsNoOptionIsUnknown() throws {
        #expect(try refusal("anything", "1") == .unknownArgument)
    }
}

import TandemContract
import TandemHTTP
import TandemJSON
import Testing

@testable import TandemRemote

@Suite struct RequestBuilderTests {
    private func make(
        _ name: String,
        path: [Request.Field] = [],
        query: [Request.Field] = [],
        headers: [Request.Field] = [],
        body: JSONText? = nil,
        token: String? = nil,
        actsAs: String? = "control_panel"
    ) throws -> HTTPRequest {
        var configuration = RemoteConfiguration(try RemoteAddress("http://engine:1/"))
        configuration.token = token
        var options = CallOptions()
        options.actsAs = actsAs
        let operation = try #require(Operation.named(name))
        let request = Request(operation.number, path: path, query: query, headers: headers, body: body)
        return try RequestBuilder(configuration: configuration).make(operation, request, options)
    }

    private func header(_ name: String, _ request: HTTPRequest) -> String? {
        request.headers.first { $0.name.lowercased() == name }?.value
    }

    @Test(arguments: [
        ("a/b", "a%2Fb"), ("?#%", "%3F%23%25"), ("é", "%C3%A9"), (".", "%2E"), ("..", "%2E%2E"),
        ("a.b-c_d~e", "a.b-c_d~e"),
        (" ", "%20"), ("a\u{0}b", "a%00b"),
    ]) func aPathArgumentIsOneSegment(text: String, encoded: String) throws {
        let request = try make("sessions.get", path: [.init("session_id", text)])
        #expect(request.url == "http://engine:1/session/\(encoded)")
    }

    @Test func aKeyKeepsItsSlashes() throws {
        let request = try make("resources.get", path: [.init("key", "project/a b/../c")])
        #expect(request.url == "http://engine:1/resource/project/a%20b/%2E%2E/c")
    }

    @Test func theQueryIsEncoded() throws {
        let request = try make("sessions.list", query: [.init("q", "a&b=c d"), .init("page", "2")])
        #expect(request.url == "http://engine:1/session?q=a%26b%3Dc%20d&page=2")
    }

    @Test func theTokenIsAHeaderAndOnlyWhereThereIsOne() throws {
        #expect(header("authorization", try make("engine.health", token: "t")) == "Bearer t")
        #expect(header("authorization", try make("engine.health")) == nil)
    }

    @Test func onlyABodyHasAType() throws {
        let empty = try make("sessions.create")
        #expect(empty.body == nil)
        #expect(header("content-type", empty) == nil)
        #expect(header("content-type", try make("sessions.create", body: .emptyObject)) == "application/json")
    }

    @Test func answersApartGoAsOneText() throws {
        func sent(_ operation: String, _ body: String) throws -> String {
            let path = [Request.Field("session_id", "s"), .init("question_id", "q")]
            let made = try make(operation, path: path, body: try JSONText(checking: body))
            return String(decoding: made.body ?? [], as: UTF8.self)
        }
        #expect(
            try sent("questions.answer", #"{"answer":["a",["b","c"]],"x":1}"#) == #"{"answer":"a\nb, c","x":1}"#
        )
        #expect(try sent("questions.answer", #"{"answer":"a"}"#) == #"{"answer":"a"}"#)
        #expect(try sent("questions.reply", #"{"answer":["a"]}"#) == #"{"answer":["a"]}"#)
    }

    @Test func changesAreMadeForTheOwnerUnlessAnAgentMakesThem() throws {
        let source = "x-tandem-request-source"
        #expect(header(source, try make("sessions.create")) == "control_panel")
        #expect(header(source, try make("sessions.create", actsAs: nil)) == nil)
        #expect(header(source, try make("sessions.list")) == nil)
        let agent = try make("sessions.create", headers: [.init("x-tandem-agent-id", "a")])
        #expect(header(source, agent) == nil)
    }

    @Test func whatMayNotBeRepeatedIsSentOnce() throws {
        #expect(try make("sessions.create").isSentOnce)
        #expect(try !make("sessions.list").isSentOnce)
        #expect(try !make("sessions.prompt_async").isSentOnce)
    }

    @Test func aLineBreakInAHeaderIsRefused() {
        #expect(throws: Failure.self) { try make("sessions.list", headers: [.init("X-A", "b\r\nX-C: d")]) }
    }

    @Test(arguments: [
        "ftp://x", "http://", "engine:1", "http://u:p@host", "http://host/?q", "http://a b", "unix:relative",
    ])
    func theseAreNoAddresses(url: String) {
        #expect(throws: Failure.self) { try RemoteAddress(url) }
    }
}

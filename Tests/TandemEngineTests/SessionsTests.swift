import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct SessionsTests {
    private let model = ScriptedModel(text: "Hi")

    private func list(_ fixture: EngineFixture, _ query: [(String, String)]) throws -> Reply {
        try fixture.reply(Request(.sessionsList, query: query.map { Request.Field($0, $1) }))
    }

    private func titles(_ fixture: EngineFixture, _ query: [(String, String)] = []) throws -> [String] {
        (try list(fixture, query).json?.elements ?? []).compactMap { $0["title"]?.string }
    }

    @Test func aNewSessionHasTheWiresKeys() throws {
        let folder = Folder()
        let fixture = try EngineFixture(model) { $0.workspace = folder.path }
        let reply = try fixture.call(.sessionsCreate, nil, "{}")
        #expect(
            reply.json?.members.map(\.key) == [
                "id", "version", "projectID", "directory", "workspaceRoot", "title", "time", "sourceKind",
                "environment", "messages",
            ]
        )
        #expect(reply.json?["title"]?.string == "New session")
        #expect(reply.json?["directory"]?.string == Path.canonical(folder.path))
        #expect(reply.json?["projectID"]?.string?.count == 22)
        #expect(reply.json?.at("time", "created")?.integer == 1_760_000_000)
        #expect(try fixture.call(.sessionsGet, reply.json?["id"]?.string).json == reply.json)
    }

    @Test func allFieldsOfASessionAreKept() throws {
        let fixture = try EngineFixture(model)
        let session = try fixture.session(
            #"""
            {"title":"Everything","directory":"/no/such/folder","pinned_workspace_id":"/pin","parent_id":"x",
             "model":{"providerID":"p","modelID":"m"},"provider":"p","temperature":0.5,"topP":0.9,"max_tokens":100,
             "sourceKind":"my-kind","source_metadata":{"a":1},
             "permission":[{"permission":"bash","action":"allow"},{"nonsense":true}]}
            """#
        )
        let wire = try #require(try fixture.call(.sessionsGet, session).json)
        #expect(wire["directory"]?.string == "/no/such/folder")
        #expect(wire["projectID"]?.string == "workspace-1237cdc01b21")
        #expect(wire["pinnedWorkspaceID"]?.string == "/pin")
        #expect(wire["model"]?.text == #"{"providerID":"p","modelID":"m"}"#)
        #expect(wire["sourceKind"]?.string == "my-kind")
        #expect(wire["sourceMetadata"]?.text == #"{"a":1}"#)
        let raw = try #require(try fixture.call(.sessionsUpdate, session, #"{"title":"Other"}"#).json)
        #expect(raw["title"]?.string == "Other")
        #expect(raw["slug"]?.isNull == true)
        #expect(raw["temperature"]?.number == 0.5)
        #expect(raw["max_tokens"]?.integer == 100)
        #expect(raw["model"]?.text == #"{"provider_id":"p","model_id":"m"}"#)
        #expect(raw.at("time", "created")?.string == "2025-10-09T08:53:20.001000000Z")
    }

    @Test func changingASessionAnswersItsMessagesInTheInnerForm() throws {
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hi"))
        let raw = try #require(try fixture.call(.sessionsArchive, session, #"{"archived":true}"#).json)
        let message = try #require(raw["messages"]?.elements.first)
        #expect(message["role"]?.string == "user")
        #expect(message["parts"]?.text == #"[{"type":"text","text":"hi"}]"#)
        #expect(message["created_at"]?.string?.hasSuffix("Z") == true)
    }

    @Test(arguments: [
        (#"{"title":5}"#, "title"), (#"{"model":{"provider_id":"x"}}"#, "model_id"), (#"{"model":"x"}"#, "model"),
        (#"{"temperature":"x"}"#, "temperature"), (#"{"max_tokens":1.5}"#, "max_tokens"),
        (#"{"permission":{}}"#, "permission"),
    ])
    func wrongTypesAreRefusedByName(body: String, name: String) throws {
        let fixture = try EngineFixture(model)
        let reply = try fixture.call(.sessionsCreate, nil, body)
        #expect(reply.status == 422)
        guard case .text(let text) = reply.body else {
            Issue.record("no text")
            return
        }
        #expect(text.contains(name))
    }

    @Test func aBodyIsRequired() throws {
        let fixture = try EngineFixture(model)
        #expect(try fixture.call(.sessionsCreate).status == 415)
    }

    @Test func listsAreFilteredAndPaged() throws {
        let folder = Folder()
        let fixture = try EngineFixture(model) { $0.workspace = folder.path }
        let first = try fixture.session(#"{"title":"First","source_kind":"my-kind"}"#)
        _ = try fixture.session(#"{"title":"Second"}"#)
        _ = try fixture.session(#"{"title":"ÄPFEL"}"#)
        _ = try fixture.session(#"{"title":"Away","directory":"/no/such/folder"}"#)
        #expect(try titles(fixture) == ["ÄPFEL", "Second", "First"])
        #expect(try titles(fixture, [("scope", "global")]) == ["Away", "ÄPFEL", "Second", "First"])
        #expect(try titles(fixture, [("workspace", "/no/such/folder")]) == ["Away"])
        #expect(try titles(fixture, [("q", "äpf")]) == ["ÄPFEL"])
        #expect(try titles(fixture, [("source", "my_kind")]) == ["First"])
        #expect(try titles(fixture, [("page", "2"), ("page_size", "2")]) == ["First"])
        #expect(try titles(fixture, [("page", "0"), ("page_size", "0")]) == ["ÄPFEL"])
        #expect(try titles(fixture, [("page", "9223372036854775807"), ("page_size", "9")]) == [])
        _ = try fixture.call(.sessionsArchive, first, #"{"archived":true}"#)
        #expect(try titles(fixture, [("archived", "true")]) == ["First"])
        #expect(try titles(fixture, [("archived", "false")]) == ["ÄPFEL", "Second"])
        #expect(try titles(fixture).first == "First")
    }

    @Test(arguments: [("page", "abc"), ("archived", "1"), ("scope", "moon"), ("page_size", "-1")])
    func badQueriesAreRefusedByName(name: String, value: String) throws {
        let fixture = try EngineFixture(model)
        let reply = try list(fixture, [(name, value)])
        #expect(reply.status == 400)
        guard case .text(let text) = reply.body else {
            Issue.record("no text")
            return
        }
        #expect(text.hasPrefix(name))
    }

    @Test func aDeletedSessionIsGone() throws {
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        _ = try fixture.call(.sessionsPromptSync, session, EngineFixture.body("hi"))
        #expect(try fixture.call(.sessionsDelete, session).json?.text == #"{"deleted":true}"#)
        #expect(try fixture.call(.sessionsDelete, session) == .empty(404))
        #expect(try fixture.call(.sessionsMessages, session) == .empty(404))
    }

    @Test(arguments: [
        ("  first line  \nsecond", "first line  "), ("\n\n  later", "later"),
        (String(repeating: "x", count: 70), String(repeating: "x", count: 60)), ("   ", "New session"),
    ])
    func theFirstLineOfAPromptBecomesTheTitle(prompt: String, title: String) {
        var session = SessionRecord(
            id: "s",
            title: "New session",
            directory: "/",
            workspaceRoot: "/",
            hasDirectory: false,
            pinnedWorkspace: nil,
            projectID: "p",
            createdMilliseconds: 0,
            updatedMilliseconds: 0
        )
        session.takeTitle(from: prompt)
        #expect(session.title == title)
    }
}

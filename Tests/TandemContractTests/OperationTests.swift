import TandemJSON
import Testing

@testable import TandemContract

@Suite struct OperationTests {
    private typealias Operation = TandemContract.Operation

    @Test func allNamesAreSortedAndFound() {
        let names = Operation.allNames
        #expect(names.count == 611)
        #expect(names == names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        for (index, name) in names.enumerated() {
            #expect(Operation.named(name)?.number == OperationNumber(index))
            #expect(Operation.numbered(OperationNumber(index))?.name == name)
        }
    }

    @Test(arguments: ["", "s", "sessions", "sessions.", "sessions.creat", "sessions.createe", "SESSIONS.CREATE", "~"])
    func unknownNameIsNotFound(name: String) { #expect(Operation.named(name) == nil) }

    @Test func numbersBeyondTheTableNameNothing() {
        #expect(Operation.numbered(OperationNumber(-1)) == nil)
        #expect(Operation.numbered(OperationNumber(Operation.count)) == nil)
    }

    @Test func oneOperationIsMadeOnce() throws {
        #expect(try operation("sessions.create") === operation("sessions.create"))
    }

    @Test func theEngineInsideAnswersThirtyThree() {
        let names = Operation.embedded.compactMap { Operation.numbered($0)?.name }.sorted()
        #expect(
            names == [
                "config.get", "engine.global_stream", "engine.health", "engine.list_tool_ids", "engine.list_tools",
                "engine.run_events", "engine.stream", "permissions.approve_tool_call", "permissions.deny_tool_call",
                "permissions.list", "permissions.reply", "providers.auth_status", "providers.catalog",
                "providers.set_defaults", "questions.answer", "questions.list",
                "questions.reject", "questions.reply", "sessions.abort",
                "sessions.active_run", "sessions.archive", "sessions.cancel", "sessions.cancel_run",
                "sessions.create", "sessions.delete", "sessions.get", "sessions.list", "sessions.messages",
                "sessions.prompt_async", "sessions.prompt_async_parts", "sessions.prompt_sync", "sessions.todos",
                "sessions.update",
            ]
        )
    }

    @Test func argumentsStandWhereTheRequestTakesThem() throws {
        let prompt = try operation("sessions.prompt_async")
        func argument(_ name: String) throws -> Operation.Argument {
            try #require(prompt.arguments.first { $0.name == name })
        }
        #expect(prompt.arguments.first?.name == "session_id")
        #expect(try argument("session_id").place == .path)
        #expect(try argument("return").place == .query)
        #expect(try argument("return").constant == json(#""run""#))
        #expect(try argument("idempotency_key").place == .header)
        #expect(try argument("idempotency_key").wire == "Idempotency-Key")
        #expect(try argument("prompt").place == .body)
        #expect(try argument("prompt").names == ["prompt", "parts"])
        #expect(try argument("prompt").adapt == "one_text_part")
        #expect(try argument("prompt").isRequired)
        #expect(try argument("on_conflict").place == .client)
        #expect(try argument("top_p").names == ["top_p", "topP"])
    }

    @Test func bodiesAreOfThreeKinds() throws {
        #expect(try operation("sessions.create").body == .fields)
        #expect(try operation("config.patch").body == .payload)
        #expect(try operation("missions.apply_event").body == .wrapped("event"))
        #expect(try operation("sessions.create").isBodyRequired)
        #expect(try !operation("sessions.cancel_run").isBodyRequired)
    }

    @Test func switchesOfTheContractAreRead() throws {
        #expect(try operation("sessions.run").isOwn)
        #expect(try !operation("sessions.create").isOwn)
        #expect(try operation("automations_v2.restore").isEnterprise)
        #expect(try operation("auth.set_token").refusesWithOkFalse)
        #expect(try operation("sessions.prompt_async").recipe == "prompt")
        #expect(try operation("sessions.get").recipe == nil)
    }

    @Test(arguments: [
        ("engine.stream", true, true), ("engine.run_stream", true, true), ("engine.global_stream", true, false),
        ("sessions.prompt_sync", false, true), ("sessions.run", false, true), ("sessions.get", false, false),
    ])
    func streamsAreTold(name: String, isOnlyStream: Bool, endsWithRun: Bool) throws {
        #expect(try operation(name).isOnlyStream == isOnlyStream)
        #expect(try operation(name).endsWithRun == endsWithRun)
    }

    @Test func resultRulesAreRead() throws {
        let history = try operation("automations.history").result
        #expect(history.take == ["events"])
        #expect(history.list == "history")
        #expect(history.each == "history")
        #expect(history.names.map(\.documented) == [["ts_ms"]])
        #expect(try operation("sessions.todos").result.isIdentity)
        let mission = try operation("missions.get").result
        #expect(mission.names.map(\.documented).contains(["mission", "title"]))
    }

    @Test func operationsAreDescribedByName() throws {
        let names = try #require(Operation.describe("ops"))
        #expect(names.elements.compactMap(\.string) == Operation.allNames)
        let one = try #require(Operation.describe("op:sessions.create"))
        #expect(one["request"]?.string == "POST /session")
        #expect(Operation.describe("op:sessions.nothing") == nil)
        #expect(Operation.describe("op:") == nil)
        #expect(Operation.describe("nothing") == nil)
        #expect(Operation.describe("") == nil)
    }

    @Test(arguments: ["ops", "events", "errors", "types", "op:sessions.run"])
    func descriptionsAreJSON(what: String) throws {
        let text = try #require(Operation.describe(what))
        #expect(throws: Never.self) { _ = try JSONText(checking: Array(text.bytes)) }
    }

    @Test func everyOperationsDescriptionIsJSON() throws {
        for name in Operation.allNames {
            let text = try operation(name).description
            #expect((try? JSONText(checking: Array(text.bytes)))?.kind == .object, "\(name)")
        }
    }

    @Test func errorsAreDescribedInTheOrderOfTheNames() throws {
        let errors = try #require(Operation.describe("errors"))
        #expect(errors.members.map(\.key) == FailureName.allCases.map(\.rawValue))
        #expect(try #require(Operation.describe("events"))["normalized"]?["done"] != nil)
    }
}

import TandemJSON
import Testing

@testable import TandemContract

@Suite struct OperationResultTests {
    private typealias Rule = TandemContract.Operation.ResultRule
    private typealias Name = TandemContract.Operation.NameRule

    private func name(_ documented: String, _ wire: String) -> Name {
        let paths = wire.split(separator: "|").map { $0.split(separator: ".").map(String.init) }
        return Name(documented: documented.split(separator: ".").map(String.init), source: .paths(paths))
    }

    private func rule(
        take: String? = nil,
        list: String? = nil,
        each: String? = nil,
        _ names: [Name] = []
    ) -> Rule {
        Rule(take: take?.split(separator: ".").map(String.init), list: list, each: each, names: names)
    }

    private func result(_ name: String, _ reply: Reply) throws -> JSONText {
        try operation(name).result(of: reply).get()
    }

    @Test(arguments: [
        ("run", #"{"run":{"id":1},"ok":true}"#, #"{"id":1}"#),
        ("a.b", #"{"a":{"b":[1]}}"#, "[1]"),
        ("a.1", #"{"a":[1,2]}"#, "2"),
        ("run", #"{"other":1}"#, #"{"other":1}"#),
        ("a.7", #"{"a":[1]}"#, #"{"a":[1]}"#),
        ("a.b", "[1]", "[1]"),
        ("run", #"{"run":null}"#, "null"),
    ])
    func takeUnwrapsWhereItCan(take: String, body: String, result: String) throws {
        #expect(try rule(take: take).applied(to: json(body)).text == result)
    }

    @Test(arguments: [
        ("[1,2]", #"{"items":[1,2],"count":2}"#),
        ("[]", #"{"items":[],"count":0}"#),
        (#"{"items":[1],"next":"x"}"#, #"{"items":[1],"next":"x","count":1}"#),
        (#"{"items":[1],"count":9}"#, #"{"items":[1],"count":9}"#),
        (#"{"other":[1]}"#, #"{"other":[1]}"#),
        (#"{"items":{}}"#, #"{"items":{}}"#),
        ("null", "null"),
    ])
    func listBecomesAnObjectWithItsCount(body: String, result: String) throws {
        #expect(try rule(list: "items").applied(to: json(body)).text == result)
    }

    @Test func namesAreAddedBesideTheEngines() throws {
        let rule = rule([name("run_id", "runID")])
        #expect(try rule.applied(to: json(#"{"runID":"r","x":1}"#)).text == #"{"runID":"r","x":1,"run_id":"r"}"#)
    }

    @Test func nameThatIsThereStaysAsItIs() throws {
        let body = #"{"run_id":"engine","runID":"r"}"#
        #expect(try rule([name("run_id", "runID")]).applied(to: json(body)).text == body)
    }

    @Test func firstOfSeveralPathsHolds() throws {
        let rule = rule([name("run_id", "runID|runId|run.id")])
        #expect(try rule.applied(to: json(#"{"runId":1,"run":{"id":2}}"#))["run_id"]?.text == "1")
        #expect(try rule.applied(to: json(#"{"run":{"id":2}}"#))["run_id"]?.text == "2")
        #expect(try rule.applied(to: json(#"{"run":3}"#)).text == #"{"run":3}"#)
    }

    @Test func dottedNamesGoIntoWhatIsThere() throws {
        let rule = rule([name("mission.id", "mission.mission_id"), name("mission.title", "mission.spec.title")])
        let body = #"{"mission":{"mission_id":"m","spec":{"title":"t"}},"ok":true}"#
        #expect(
            try rule.applied(to: json(body)).text
                == #"{"mission":{"mission_id":"m","spec":{"title":"t"},"id":"m","title":"t"},"ok":true}"#
        )
        #expect(try rule.applied(to: json(#"{"ok":true}"#)).text == #"{"ok":true}"#)
    }

    @Test func constantsAreAdded() throws {
        let rule = rule([Name(documented: ["ok"], source: .constant(try json("true")))])
        #expect(try rule.applied(to: json("{}")).text == #"{"ok":true}"#)
        #expect(try rule.applied(to: json(#"{"ok":false}"#)).text == #"{"ok":false}"#)
    }

    @Test func eachNamesTheItemsOfAList() throws {
        let rule = rule(list: "runs", each: "runs", [name("run_id", "id")])
        #expect(
            try rule.applied(to: json(#"{"runs":[{"id":1},7],"more":true}"#)).text
                == #"{"runs":[{"id":1,"run_id":1},7],"more":true,"count":2}"#
        )
        #expect(try rule.applied(to: json(#"[{"id":1}]"#)).text == #"{"runs":[{"id":1,"run_id":1}],"count":1}"#)
    }

    @Test func itemsOfAnArrayAreNamedWithoutEach() throws {
        #expect(
            try rule([name("run_id", "id")]).applied(to: json(#"[{"id":1},null]"#)).text
                == #"[{"id":1,"run_id":1},null]"#
        )
    }

    @Test func whereEachIsMissingTheObjectIsNamed() throws {
        let rule = rule(each: "runs", [name("run_id", "id")])
        #expect(try rule.applied(to: json(#"{"id":1}"#)).text == #"{"id":1,"run_id":1}"#)
    }

    @Test func eachNamesWhatStandsAroundTheListToo() throws {
        let rule = rule(each: "aItems", [name("id", "aID"), name("a_items", "aItems"), name("n", "count")])
        #expect(
            try rule.applied(to: json(#"{"aItems":[{"aID":1}],"count":1}"#)).text
                == #"{"aItems":[{"aID":1,"id":1}],"count":1,"a_items":[{"aID":1,"id":1}],"n":1}"#
        )
        let constant = self.rule(each: "items", [Name(documented: ["ok"], source: .constant(try json("true")))])
        #expect(try constant.applied(to: json(#"{"items":[{}]}"#)).text == #"{"items":[{"ok":true}]}"#)
    }

    @Test func approvalsHaveTheirDocumentedNames() throws {
        let body = try json(#"{"spawnApprovals":[{"approvalID":"a"}],"toolApprovals":[],"count":1}"#)
        let approvals = try result("agent_teams.list_approvals", .json(body))
        for list in ["spawnApprovals", "spawn_approvals"] {
            for name in ["approvalID", "approval_id"] {
                #expect(approvals[list]?.elements.first?[name]?.string == "a")
            }
        }
        #expect(approvals["tool_approvals"] == .emptyArray)
    }

    @Test(arguments: ["1", #""x""#, "null", "true"]) func whatIsNoObjectHasNoNames(body: String) throws {
        #expect(try rule([name("a", "b")]).applied(to: json(body)).text == body)
    }

    @Test func resultsOfTheTableAreNamed() throws {
        let body = try json(#"{"events":[{"fired_at_ms":5}],"automationID":"a"}"#)
        #expect(
            try result("automations.history", .json(body)).text
                == #"{"events":[{"fired_at_ms":5}],"automationID":"a","history":[{"fired_at_ms":5,"ts_ms":5}],"count":1}"#
        )
        #expect(
            try result("resources.put_key", .json(json(#"{"resource":{"rev":1}}"#))).text == #"{"rev":1,"ok":true}"#
        )
        #expect(try result("sessions.list", .json(json("[]"))).text == #"{"sessions":[],"count":0}"#)
    }

    @Test func bodyWithoutARuleStaysByteForByte() throws {
        let body = try json(#"{ "b" : 1.50, "a":"\u00e9" }"#)
        #expect(try result("sessions.get", .json(body)) == body)
    }

    @Test func repliesThatAreNoJSONHaveResultsToo() throws {
        #expect(try result("sessions.get", .empty(204)) == .null)
        #expect(try result("engine.metrics", Reply(status: 200, body: .text("a\"b\n"))).text == #""a\"b\n""#)
        #expect(try result("packs.get_file", Reply(status: 200, body: .bytes([0, 255]))).text == #"{"base64":"AP8="}"#)
    }

    @Test func refusalIsAFailure() throws {
        let reply = Reply.refusal(404, code: "SESSION_NOT_FOUND", message: "no such session")
        #expect(throws: Failure.self) { _ = try result("sessions.get", reply) }
    }

    @Test(
        arguments: [
            (["a", "b"], "2"), (["c", "0", "d"], "3"), ([], #"{"a":{"b":2},"c":[{"d":3}]}"#), (["c", "1"], nil),
            (["c", "-1"], nil), (["c", "x"], nil), (["a", "b", "c"], nil),
        ] as [([String], String?)]
    )
    func pathsFollowNamesAndIndices(path: [String], found: String?) throws {
        #expect(try json(#"{"a":{"b":2},"c":[{"d":3}]}"#).at(path)?.text == found)
    }
}

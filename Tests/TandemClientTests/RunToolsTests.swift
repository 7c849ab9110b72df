import TandemJSON
import Testing

@testable import TandemClient

@Suite struct RunToolsTests {
    private var tools = RunTools()

    private mutating func note(_ id: String, _ tool: String, _ state: String, _ more: String = "") throws {
        tools.note(try JSONText(checking: #"{"call_id":"\#(id)","tool":"\#(tool)","state":"\#(state)"\#(more)}"#))
    }

    private var seen: [String] { tools.all.map { "\($0.id) \($0.name) \($0.status)" } }

    @Test mutating func callsStandInTheirOrder() throws {
        try note("a", "read", "pending")
        try note("b", "read", "pending")
        try note("b", "read", "completed", #","result":"two""#)
        try note("a", "read", "failed", #","error":"gone""#)
        #expect(seen == ["a read failed", "b read completed"])
        #expect(tools.all[0].error == "gone")
        #expect(tools.all[1].result.string == "two")
    }

    @Test mutating func engineKeysAreNoArguments() throws {
        try note("a", "bash", "running", #","args":{"__session_id":"s","command":"ls","__effective_cwd":"/"}"#)
        #expect(tools.all[0].arguments.text == #"{"command":"ls"}"#)
    }

    @Test mutating func resultKeepsTheArguments() throws {
        try note("a", "bash", "running", #","args":{"command":"ls"}"#)
        try note("a", "bash", "completed", #","result":null"#)
        #expect(tools.all[0].arguments.text == #"{"command":"ls"}"#)
    }

    @Test mutating func callTakesItsPermissionsIdentifier() throws {
        try note("call_1", "write", "pending")
        try note("call_2", "write", "pending")
        tools.ask("p1", tool: "write")
        try note("p1", "write", "pending")
        try note("p1", "write", "completed")
        tools.ask("p2", tool: "write")
        try note("p2", "write", "denied")
        #expect(seen == ["p1 write completed", "p2 write denied"])
    }

    @Test mutating func requestMayOvertakeItsCall() throws {
        tools.ask("p", tool: "write")
        try note("call_1", "write", "pending", #","args":{"path":"x"}"#)
        try note("p", "write", "running")
        try note("p", "write", "completed")
        #expect(seen == ["p write completed"])
        #expect(tools.all[0].arguments.text == #"{"path":"x"}"#)
    }

    @Test mutating func itsEndMayToo() throws {
        tools.ask("p", tool: "write")
        tools.expire("p")
        try note("call_1", "write", "pending")
        try note("p", "write", "failed", #","error":"late""#)
        #expect(seen == ["p write permission_expired"])
        #expect(tools.all[0].error == "late")
    }

    @Test mutating func lateNameOfTheModelsStillReachesTheCall() throws {
        try note("call_1", "write", "pending")
        tools.ask("p", tool: "write")
        try note("call_1", "write", "completed")
        #expect(seen == ["call_1 write completed"])
    }

    @Test mutating func endUnderANewNameIsThatOfTheOldestOpenCall() throws {
        try note("call_1", "write", "pending", #","args":{"path":"x"}"#)
        try note("part-9", "write", "failed", #","error":"sandbox""#)
        #expect(seen == ["part-9 write failed"])
        #expect(tools.all[0].arguments.text == #"{"path":"x"}"#)
        try note("part-10", "write", "failed")
        #expect(seen == ["part-9 write failed", "part-10 write failed"], "nothing is open any more")
    }

    @Test mutating func whatIsOverStaysSo() throws {
        try note("a", "read", "completed")
        try note("a", "read", "running")
        #expect(seen == ["a read completed"])
        tools.expire("unknown")
        tools.reject("unknown")
        #expect(seen == ["a read completed"])
    }

    @Test mutating func callOfAToolThatWasNotOfferedFails() throws {
        try note("a", "magic", "running")
        tools.reject("magic")
        #expect(seen == ["a magic failed"])
    }

    @Test mutating func openCallsFailWithTheirRun() throws {
        try note("a", "read", "completed")
        try note("b", "read", "running")
        tools.close()
        #expect(seen == ["a read completed", "b read failed"])
        #expect(tools.all[1].error != nil)
        #expect(tools.all[0].error == nil)
    }
}

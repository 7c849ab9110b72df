import TandemJSON
import Testing

@testable import TandemProviders

@Suite struct ToolCallAssemblerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        /// The `tool_calls` of each delta.
        let pieces: [String]
        let calls: [ModelToolCall]

        init(_ name: String, _ pieces: [String], _ calls: (String, String, String)...) {
            self.name = name
            self.pieces = pieces
            self.calls = calls.map { ModelToolCall(id: $0.0, name: $0.1, arguments: $0.2) }
        }

        var testDescription: String { name }
    }

    private static let cases = [
        Case(
            "arguments in pieces by index",
            [
                #"[{"index":0,"id":"a","function":{"name":"add","arguments":""}}]"#,
                #"[{"index":0,"function":{"arguments":"{\"x\""}}]"#, #"[{"index":0,"function":{"arguments":":1}"}}]"#,
            ],
            ("a", "add", #"{"x":1}"#)
        ),
        Case(
            "two calls whose pieces alternate",
            [
                #"[{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}]"#,
                #"[{"index":1,"id":"b","function":{"name":"g","arguments":"["}}]"#,
                #"[{"index":0,"function":{"arguments":"}"}},{"index":1,"function":{"arguments":"]"}}]"#,
            ],
            ("a", "f", "{}"),
            ("b", "g", "[]")
        ),
        Case(
            "one index for all calls, each with an id",
            [
                #"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#,
                #"[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]"#,
                #"[{"index":0,"id":"b","function":{"arguments":" "}}]"#,
            ],
            ("a", "f", "{}"),
            ("b", "g", "{} ")
        ),
        Case(
            "the same id for two calls with indexes",
            [
                #"[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]"#,
                #"[{"index":1,"id":"a","function":{"name":"g","arguments":"{}"}}]"#,
            ],
            ("a", "f", "{}"),
            ("a", "g", "{}")
        ),
        Case(
            "neither index nor id: a name begins a call",
            [
                #"[{"function":{"name":"f","arguments":"{"}}]"#, #"[{"function":{"arguments":"}"}}]"#,
                #"[{"function":{"name":"g","arguments":"{}"}}]"#,
            ],
            ("", "f", "{}"),
            ("", "g", "{}")
        ),
        Case(
            "an id without index finds its call",
            [
                #"[{"id":"a","function":{"name":"f","arguments":"{"}}]"#,
                #"[{"id":"b","function":{"name":"g","arguments":"{}"}}]"#,
                #"[{"id":"a","function":{"arguments":"}"}}]"#,
            ],
            ("a", "f", "{}"),
            ("b", "g", "{}")
        ),
        Case(
            "a name in pieces",
            [
                #"[{"index":0,"id":"a","function":{"name":"add_"}}]"#, #"[{"index":0,"function":{"name":"two"}}]"#,
                #"[{"index":0,"function":{"arguments":"{}"}}]"#,
            ],
            ("a", "add_two", "{}")
        ),
        Case(
            "the whole name again with each piece",
            [
                #"[{"index":0,"id":"a","function":{"name":"add","arguments":""}}]"#,
                #"[{"index":0,"id":"a","function":{"name":"add","arguments":"{"}}]"#,
                #"[{"index":0,"id":"a","function":{"name":"add","arguments":"}"}}]"#,
            ],
            ("a", "add", "{}")
        ),
        Case(
            "arguments as an object",
            [#"[{"index":0,"id":"a","function":{"name":"f","arguments":{"x":[1]}}}]"#],
            ("a", "f", #"{"x":[1]}"#)
        ),
        Case("no arguments at all", [#"[{"id":7,"function":{"name":"f"}}]"#], ("7", "f", "")),
        Case("arguments that are null", [#"[{"id":"a","function":{"name":"f","arguments":null}}]"#], ("a", "f", "")),
        Case("name and arguments beside the id", [#"[{"id":"a","name":"f","arguments":"{}"}]"#], ("a", "f", "{}")),
        Case(
            "an id that comes late",
            [#"[{"index":0,"function":{"name":"f"}}]"#, #"[{"index":0,"id":"a"}]"#],
            ("a", "f", "")
        ),
        Case("what is no call", ["null", "{}", #"["x",3,null]"#]),
    ]

    @Test(arguments: cases) func piecesBecomeCalls(given: Case) throws {
        var assembler = ToolCallAssembler()
        var written: [Int: String] = [:]
        for piece in given.pieces {
            for event in assembler.take(try JSONText(checking: piece)) {
                guard case .toolCallDelta(let delta) = event else { continue }
                written[delta.index, default: ""] += delta.arguments
            }
        }
        #expect(assembler.calls == given.calls)
        for (index, call) in given.calls.enumerated() { #expect(written[index] == call.arguments) }
    }

    @Test func morePiecesThanAnyModelMeansAreNotKept() throws {
        var assembler = ToolCallAssembler()
        for index in 0..<1_000 {
            let piece = #"[{"index":\#(index),"function":{"name":"f","arguments":"{}"}}]"#
            _ = assembler.take(try JSONText(checking: piece))
        }
        #expect(assembler.calls.count == 128)
    }
}

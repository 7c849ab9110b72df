import TandemJSON
import Testing

@testable import TandemClient

@Suite struct ItemTests {
    private let context = EventContext(sessionID: "s", runID: "r", atMilliseconds: 5)

    private func checked(_ item: Item, tag: JSONText? = nil) throws -> JSONText {
        try JSONText(checking: item.text(operation: 8193, seq: 3, tag: tag))
    }

    @Test func keysOfAnEventStandInOneOrder() throws {
        let properties = try JSONText(checking: #"{"a":1}"#)
        let event = try checked(.event("run.started", tag: nil, context, "properties", properties))
        #expect(
            event.text
                == #"{"op":8193,"seq":3,"type":"run.started","tag":null,"session_id":"s","run_id":"r","at_ms":5,"#
                + #""properties":{"a":1}}"#
        )
    }

    @Test func unknownSessionAndRunAreNull() throws {
        let nowhere = EventContext(sessionID: nil, runID: nil, atMilliseconds: 0)
        let event = try checked(.event("log", tag: nil, nowhere, "properties", .emptyObject))
        #expect(event["session_id"] == .null)
        #expect(event["run_id"] == .null)
    }

    @Test func engineEventsStandUnderFrame() throws {
        let event = try checked(.event("x.y", tag: nil, context, "frame", .emptyObject))
        #expect(event.members.map(\.key) == ["op", "seq", "type", "tag", "session_id", "run_id", "at_ms", "frame"])
    }

    @Test(arguments: [#"plain"#, #"a\"b\\c"#, #"\n\t\u0000"#, #"\ud83d\ude00"#, "é😀", ""])
    func deltaIsWrittenAsItCame(escaped: String) throws {
        let item = Item(content: .delta(escaped: Array(escaped.utf8)), context: context)
        let event = try checked(item)
        #expect(event["type"]?.string == "session.response")
        #expect(event.at("properties", "delta")?.text == "\"\(escaped)\"")
        #expect(event["session_id"]?.string == "s")
        #expect(event.members.map(\.key).last == "properties")
    }

    @Test func deltaHasTheTagOfItsOperation() throws {
        let item = Item(content: .delta(escaped: [0x61]), context: context)
        #expect(try checked(item, tag: JSONText(checking: #"["t"]"#))["tag"]?.text == #"["t"]"#)
    }

    @Test func doneHoldsTheResult() throws {
        let result = try JSONText(checking: #"{"ok":{"a":"\"é"}}"#)
        let event = try checked(Item(content: .done(result), context: nil), tag: JSONText(checking: "7"))
        #expect(event.text == #"{"op":8193,"seq":3,"type":"done","tag":7,"result":{"ok":{"a":"\"é"}}}"#)
    }

    @Test func namesWithQuotesStayJSON() throws {
        let odd = EventContext(sessionID: "s\"\\\n", runID: "é", atMilliseconds: -1)
        let event = try checked(.event("t\"", tag: nil, odd, "properties", .null))
        #expect(event["session_id"]?.string == "s\"\\\n")
        #expect(event["type"]?.string == "t\"")
    }

    @Test func largestNumberOfAnOperationIsWritten() throws {
        let item = Item(content: .done(.emptyObject), context: nil)
        let text = item.text(operation: 1 << 53 - 1, seq: .max, tag: nil)
        #expect(try JSONText(checking: text)["op"]?.integer == 1 << 53 - 1)
    }

    @Test func sameRunIsSessionAndRun() {
        #expect(context.isSameRun(as: EventContext(sessionID: "s", runID: "r", atMilliseconds: 9)))
        #expect(!context.isSameRun(as: EventContext(sessionID: "s", runID: "q", atMilliseconds: 5)))
        #expect(!context.isSameRun(as: EventContext(sessionID: nil, runID: "r", atMilliseconds: 5)))
    }
}

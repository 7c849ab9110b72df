import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct TextFrameTests {
    private func event(_ properties: String, _ number: Int64 = 1, type: String = "message.part.updated") throws
        -> EngineEvent
    {
        let envelope = EngineEvent.Envelope(
            eventID: "e\(number)",
            seq: number,
            occurredAtMilliseconds: number,
            sessionID: "s",
            runID: "r"
        )
        return EngineEvent(type: type, properties: try JSONText(checking: properties), envelope: envelope)
    }

    private func piece(_ text: String, _ number: Int64 = 1, message: String = "m") throws -> EngineEvent {
        let part = #"{"id":"p\#(number)","messageID":"\#(message)","type":"text","text":"\#(text)"}"#
        return try event(#"{"part":\#(part),"delta":"\#(text)","runID":"r"}"#, number)
    }

    private func written(_ frame: TextFrame) -> JSONText { JSONWriter.object { frame.write(to: &$0) } }

    @Test func aloneItIsTheFrameUntouched() throws {
        let event = try piece("a")
        let frame = try #require(TextFrame(event, addsResponse: false))
        #expect(written(frame).members.map(\.key) == ["frame"])
        #expect(written(frame)["frame"] == event.frame)
    }

    @Test func joinedItIsTheLastFrameWithTheTextOfAll() throws {
        var frame = try #require(TextFrame(try piece(#"H\"e"#, 1), addsResponse: false))
        for (text, number) in [(#"l\n"#, 2), ("o", 5)] as [(String, Int64)] {
            let next = try #require(TextFrame(try piece(text, number), addsResponse: false))
            frame = try #require(frame.joined(with: next, upTo: 100))
        }
        let shown = written(frame)
        #expect(shown["joined"]?.integer == 3)
        #expect(shown.at("frame", "properties", "delta")?.string == "H\"el\no")
        #expect(shown.at("frame", "properties", "part", "text")?.string == "H\"el\no")
        #expect(shown.at("frame", "properties", "part", "id")?.string == "p5")
        #expect(shown.at("frame", "envelope") == (try piece("o", 5)).frame["envelope"])
    }

    @Test func otherMessagesAndTooMuchTextAreNotJoined() throws {
        let frame = try #require(TextFrame(try piece("abc"), addsResponse: false))
        let other = try #require(TextFrame(try piece("d", 2, message: "n"), addsResponse: false))
        #expect(frame.joined(with: other, upTo: 100) == nil)
        let next = try #require(TextFrame(try piece("d", 2), addsResponse: false))
        #expect(frame.joined(with: next, upTo: 3) == nil)
        #expect(frame.joined(with: next, upTo: 4) != nil)
    }

    @Test(arguments: [
        #"{"part":{"type":"text","text":"a"},"delta":"a","agent":"build"}"#,
        #"{"part":{"type":"text","text":"whole"}}"#,
        #"{"part":{"type":"text","text":"b"},"delta":"a"}"#,
        #"{"part":{"type":"text","text":1},"delta":1}"#,
        #"{"part":{"type":"tool","text":"a"},"delta":"a"}"#,
        #"{"part":{"type":"text","text":"a"},"delta":"a","toolCallDelta":{}}"#,
        #"{"delta":"a"}"#,
    ]) func onlyAPieceOfTheModelsTextIsOne(properties: String) throws {
        #expect(TextFrame(try event(properties), addsResponse: false) == nil)
    }

    @Test func otherEventsWithTextAreNone() throws {
        let properties = #"{"part":{"type":"text","text":"a"},"delta":"a"}"#
        #expect(TextFrame(try event(properties, type: "tool.progress"), addsResponse: false) == nil)
    }

    @Test func withBothVocabulariesTheTextFollowsAsAnEventOfItsOwn() throws {
        let context = EventContext(sessionID: "s", runID: "r", atMilliseconds: 1)
        func types(_ addsResponse: Bool) throws -> [String] {
            let frame = try #require(TextFrame(try piece("a"), addsResponse: addsResponse))
            return try Item(content: .text(frame), context: context).parts.map {
                try JSONText(checking: $0.text(operation: 1, seq: 1, tag: nil))["type"]?.string ?? ""
            }
        }
        #expect(try types(false) == ["message.part.updated"])
        #expect(try types(true) == ["message.part.updated", "session.response"])
    }
}

import Testing

@testable import TandemRemote

@Suite struct CutFrameTests {
    private func frame(_ text: String) -> CutFrame { CutFrame(Array(text.utf8)) }

    @Test func whatIsLeftSaysWhereTheFrameBelongs() {
        let text =
            #"{"type":"message.part.updated","properties":{"part":{"id":"p","messageID":"m","sessionID":"s","text":"lo"#
        let found = frame(text + "...<truncated>")
        #expect(found.sessionID == "s")
        #expect(found.messageID == "m")
        #expect(found.runID == nil)
    }

    @Test func argumentsAndTextsAreNotMistaken() {
        let inner =
            #"{"type":"t","properties":{"part":{"args":{"sessionID":"no","x":[{"messageID":"no"}]},"text":"\"sessionID\":\"no\"","#
        #expect(frame(inner) == CutFrame([]))
        #expect(frame(inner + #""messageID":"m","result":"..."#).messageID == "m")
    }

    @Test func identifiersOfTheEventCount() {
        let text =
            #"{"type":"context.budget.final","properties":{"contribution":{},"messageID":"m","runID":"r","sessionID":"s","x":"..."#
        let found = frame(text)
        #expect([found.messageID, found.runID, found.sessionID] == ["m", "r", "s"])
    }

    @Test func aFrameMayBeCutAtAnyByte() {
        let text = #"{"type":"t","properties":{"a\"":[1,{"b":null}],"part":{"sessionID":"s\\"},"sessionID":"s"}}"#
        for end in 0...text.utf8.count { _ = CutFrame(Array(text.utf8.prefix(end))) }
        _ = frame(#"]}"}}{"":[["#)
    }

    @Test func deepFramesTakeNoLonger() {
        let open = String(repeating: #"{"properties":"#, count: 100_000)
        let texts = String(repeating: #""runID":"r","#, count: 100_000)
        #expect(frame(open + "{" + texts) == CutFrame([]))
        #expect(frame(#"{"properties":{"part":{"x":{"y":{"# + texts + #""z":"z"}},"messageID":"m""#).messageID == "m")
    }
}

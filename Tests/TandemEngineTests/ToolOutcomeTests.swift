import TandemContract
import TandemJSON
import Testing

@testable import TandemEngine

@Suite struct ToolOutcomeTests {
    @Test(arguments: [
        (#""text""#, #""text""#, "text"), (#"{"output":"o"}"#, #""o""#, "o"),
        (#"{"output":"o","metadata":{"n":1}}"#, #"{"output":"o","metadata":{"n":1}}"#, "o"),
        (#"{"output":"o","metadata":null}"#, #""o""#, "o"), (#"{"x":1}"#, #""{\"x\":1}""#, #"{"x":1}"#),
        ("5", #""5""#, "5"), ("null", #""null""#, "null"), (#""""#, #""""#, ""),
    ]) func aHostMayAnswerInManyForms(reply: String, result: String, forModel: String) throws {
        let outcome = ToolOutcome(host: .success(try JSONText(checking: reply)))
        #expect(outcome.state == .completed)
        #expect(outcome.result?.text == result)
        #expect(outcome.modelText == forModel)
    }

    @Test func aFailureOfTheHostIsTheResult() {
        let outcome = ToolOutcome(host: .failure(Failure(.hostTimeout, "it took too long")))
        #expect(outcome.state == .failed)
        #expect(outcome.result == nil)
        #expect(outcome.error == "it took too long")
        #expect(outcome.modelText == "Error: it took too long")
    }

    @Test func longOutputIsCutForTheModelBetweenCharacters() {
        let whole = String(repeating: "é", count: 40_000)
        let outcome = ToolOutcome.completed("x" + whole)
        #expect(outcome.result?.string == "x" + whole)
        let text = outcome.modelText
        #expect(text.hasPrefix("xé"))
        #expect(text.hasSuffix("é\n[cut: the first 65536 of 80001 bytes]"))
        #expect(text.utf8.count < 65_600)
        #expect(ToolOutcome.cut(whole.prefix(32_768).description).utf8.count == 65_536)
    }
}

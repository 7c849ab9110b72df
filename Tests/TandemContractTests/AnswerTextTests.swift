import TandemJSON
import Testing

@testable import TandemContract

@Suite struct AnswerTextTests {
    @Test(arguments: [
        (#""one""#, "one"), (#"["one","two"]"#, "one\ntwo"), (#"["one",["a","b"]]"#, "one\na, b"), ("[]", ""),
        ("5", "5"),
        (#"[1,["a",2]]"#, "1\na, 2"),
    ]) func answersAreOneText(answers: String, text: String) throws {
        #expect(try JSONText(checking: answers).answerText == text)
    }
}

import Testing

@testable import TandemContract

@Suite struct QuestionAnswerStepsTests {
    private let arguments = #"{"question_id":"q","answer":"A"}"#

    @Test(arguments: [
        #"[{"id":"p","sessionID":"x"},{"id":"q","sessionID":"s"}]"#, #"{"questions":[{"id":"q","sessionID":"s"}]}"#,
    ])
    func answerGoesToTheSessionThatAsked(list: String) throws {
        let performance = try Performance("questions.reply", arguments, [list, #"{"ok":true}"#])
        #expect(
            performance.lines == ["questions.list", #"questions.answer session_id=s question_id=q {"answer":"A"}"#]
        )
        #expect(performance.reply?.json?.text == #"{"ok":true}"#)
    }

    @Test(arguments: ["[]", #"[{"id":"p","sessionID":"s"}]"#, #"[{"id":"q"}]"#, "{}", "7"])
    func questionThatIsNotListedIsAnsweredByItsOwnRoute(list: String) throws {
        let performance = try Performance("questions.reply", arguments, [list, "404"])
        #expect(performance.lines == ["questions.list", #"questions.reply question_id=q {"answer":"A"}"#])
        #expect(performance.reply?.status == 404)
    }
}

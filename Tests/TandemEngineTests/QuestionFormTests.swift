import TandemJSON
import Testing

@testable import TandemEngine

@Suite struct QuestionFormTests {
    @Test func questionsTakeOneFormWhicheverWayTheyAreAsked() throws {
        let arguments = try JSONText(
            checking: """
                {"questions":[{"question":"Which?","header":"Pick","options":[{"label":"A","description":"first"},
                {"label":"B"}]},{"text":"Free?"},{"question":"Some?","choices":["x","y"],"multiple":true},{"header":"no"}]}
                """
        )
        #expect(
            QuestionForm.questions(arguments)?.elements.map(\.text) == [
                #"{"header":"Pick","question":"Which?","options":[{"label":"A","description":"first"},{"label":"B","description":""}],"multiple":false,"custom":false}"#,
                #"{"header":"Question","question":"Free?","options":[],"multiple":false,"custom":true}"#,
                #"{"header":"Question","question":"Some?","options":[{"label":"x","description":""},{"label":"y","description":""}],"multiple":true,"custom":false}"#,
            ]
        )
    }

    @Test(arguments: [#"{"question":"One?"}"#, #"{"questions":["One?"]}"#]) func oneQuestionMayStandAlone(
        arguments: String
    ) throws {
        let questions = QuestionForm.questions(try JSONText(checking: arguments))
        #expect(questions?.elements.map { $0["question"]?.string } == ["One?"])
    }

    @Test(arguments: ["{}", #"{"questions":[]}"#, #"{"questions":[{"question":" "}]}"#, #"{"questions":7}"#])
    func nothingAskedIsNoQuestion(arguments: String) throws {
        #expect(QuestionForm.questions(try JSONText(checking: arguments)) == nil)
    }

    @Test(arguments: [
        (#""A""#, 1, "A"), (#"[["A"]]"#, 1, "A"), (#"["A"]"#, 1, "A"), (#"[["A","B"]]"#, 1, "A, B"),
        (#"["A","B"]"#, 1, "A, B"), ("null", 1, ""), (#"[["A"],"free"]"#, 2, "Q1\nA\n\nQ2\nfree"),
        (#"[["A"]]"#, 2, "Q1\nA\n\nQ2\n(no answer)"), (#""both""#, 2, "both"), ("[]", 1, ""),
    ]) func theModelReadsTheAnswers(answer: String, count: Int, told: String) throws {
        let questions = JSONWriter.array { writer in
            for index in 1...count { writer.object { $0.member("question", "Q\(index)") } }
        }
        #expect(QuestionForm.told(try JSONText(checking: answer), to: questions) == told)
    }
}

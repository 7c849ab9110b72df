import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

@Suite struct QuestionsTests {
    /// An engine whose model asks its user something.
    private struct Asking {
        let model: ScriptedModel
        let fixture: EngineFixture
        let session: String
        let events: Recorder
        let id: String

        init(_ arguments: String = #"{"question":"Which?","choices":["A","B"]}"#) throws {
            model = ScriptedModel(answers: [ToolRunsTests.calls(("question", arguments)), ToolRunsTests.done])
            fixture = try EngineFixture(model) { $0.host = FakeHost(answersQuestions: true) }
            session = try fixture.session()
            (events, _) = fixture.stream(session: session)
            _ = try fixture.prompt(session)
            let asked = try #require(events.wait(for: "question.asked")).last { $0.type == "question.asked" }
            id = try #require(asked?.properties["id"]?.string)
        }

        func call(_ operation: OperationNumber, _ body: String? = nil, session: String? = nil) throws -> Reply {
            try fixture.reply(
                Request(
                    operation,
                    path: [Request.Field("question_id", id), Request.Field("session_id", session ?? self.session)],
                    body: body.flatMap { try? JSONText(checking: $0) }
                )
            )
        }

        func list() throws -> [JSONText] { try fixture.call(.questionsList).json?.elements ?? [] }

        /// What the model was told.
        func told() throws -> String? { try #require(model.request(1)).request.messages.last?.content }
    }

    @Test func theRunWaitsForTheAnswer() throws {
        let asking = try Asking()
        #expect(asking.fixture.engine.questionsWait)
        #expect(asking.events.types.contains(finished) == false)
        let question = try #require(try asking.list().first)
        #expect(question["id"]?.string == asking.id)
        #expect(question["sessionID"]?.string == asking.session)
        #expect(question["questions"]?.elements.first?["question"]?.string == "Which?")
        #expect(question.at("tool", "callID")?.string == "call_0")
        #expect(try asking.call(.questionsReply, #"{"answers":[["B"]]}"#).json?.text == #"{"ok":true}"#)
        #expect(try asking.told() == "B")
        let all = try #require(asking.events.wait(for: finished))
        let replied = all.first { $0.type == "question.replied" }
        #expect(replied?.properties["ok"]?.boolean == true)
        #expect(replied?.properties["answer"]?.text == #"[["B"]]"#)
        #expect(replied?.envelope?.runID == all.last?.envelope?.runID)
        #expect(try asking.list().isEmpty)
        #expect(try asking.call(.questionsReply, "{}").status == 404)
    }

    @Test(
        arguments: [
            (OperationNumber.questionsReply, #"{"answer":"A"}"#, "A"), (.questionsAnswer, #"{"answer":"A"}"#, "A"),
            (.questionsReply, "{}", "The user gave an empty answer."),
            (.questionsAnswer, "{}", "The user gave an empty answer."),
            (.questionsReply, #"{"_answers":["A"]}"#, "A"),
            (.questionsReject, nil, "Error: the user does not want to answer"),
        ] as [(OperationNumber, String?, String)]
    ) func eachWayToAnswerReachesTheModel(
        operation: OperationNumber,
        body: String?,
        told: String
    ) throws {
        let asking = try Asking()
        #expect(try asking.call(operation, body).status == 200)
        #expect(try asking.told() == told)
    }

    @Test func badAnswersAreRefusedAndTheQuestionWaitsOn() throws {
        let asking = try Asking()
        #expect(try asking.call(.questionsReply).status == 415)
        #expect(try asking.call(.questionsAnswer, #"{"answer":"A"}"#, session: "other").status == 404)
        #expect(try asking.list().count == 1)
    }

    @Test func whatAsksNothingIsToldSo() throws {
        let call = ToolRunsTests.calls(("question", #"{"questions":[]}"#))
        let model = ScriptedModel(answers: [call, ToolRunsTests.done])
        let fixture = try EngineFixture(model)
        let session = try fixture.session()
        _ = try fixture.call(.sessionsPromptSync, session, #"{"parts":[],"toolAllowlist":["question"]}"#)
        #expect(model.request(1)?.request.messages.last?.content.hasPrefix("Error: give `questions`") == true)
    }

    @Test func cancellingARunTakesItsQuestionBack() throws {
        let asking = try Asking()
        _ = try asking.fixture.call(.sessionsAbort, asking.session)
        #expect(try asking.list().isEmpty)
        #expect(try asking.call(.questionsReply, "{}").status == 404)
    }
}

internal import TandemJSON

/// The recipe `answer_question`: an engine takes an answer only under the session that asked.
struct QuestionAnswerSteps: CallSteps {
    private let own: Request
    private let answer: JSONText
    private var isReading = false

    /// nil where no answer is given: the operation's own request is all.
    init?(_ request: Request) {
        guard let answer = request.body?["answer"], !answer.isNull else { return nil }
        own = request
        self.answer = answer
    }

    mutating func begin() -> Step {
        guard let list = Operation.named("questions.list") else { return .send(own) }
        isReading = true
        return .send(Request(list.number))
    }

    mutating func next(_ result: Result<Reply, Failure>) -> Step {
        guard isReading else { return .end(result) }
        isReading = false
        guard case .success(let reply) = result, reply.status < 400 else { return .end(result) }
        let questions = reply.json.map { $0.kind == .array ? $0.elements : $0["questions"]?.elements ?? [] } ?? []
        let id = own.path("question_id")
        let asked = questions.first { $0["id"]?.string == id }
        guard let session = asked?["sessionID"]?.string, let operation = Operation.named("questions.answer") else {
            return .send(own)
        }
        return .send(
            Request(
                operation.number,
                path: [.init("session_id", session), .init("question_id", id)],
                headers: own.headers,
                body: JSONWriter.object { $0.member("answer", answer) }
            )
        )
    }
}

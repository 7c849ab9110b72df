internal import TandemContract
internal import TandemJSON
internal import TandemStore

/// Questions of runs, which wait for their answers.
enum Questions {
    static let migrations = QuestionStore.migrations

    static let handlers: [Handler] = [
        .read(.questionsList, list),
        .write(.questionsReply, reply),
        .write(.questionsReject, reject),
        .write(.questionsAnswer, answer),
    ]

    @Sendable private static func list(_ reading: Reading, _: Request) throws(Halt) -> Reply {
        let questions = try stored { () throws(StoreError) in try QuestionStore.all(in: reading.connection) }
        return .json(
            JSONWriter.array { writer in
                for question in questions { writer.object { write(question, to: &$0) } }
            }
        )
    }

    private static func write(_ question: QuestionRecord, to writer: inout JSONWriter) {
        writer.member("id", question.id)
        writer.member("sessionID", question.sessionID)
        writer.member("questions", question.questions)
        writer.member("tool", tool(question))
        writer.member("expiresAtMs", question.expiresMilliseconds)
        writer.member("actionDigest", SHA256.hexadecimal(question.questions.text))
        writer.member("tenantContext", EngineContext.tenant)
    }

    static func tool(_ question: QuestionRecord) -> JSONText {
        JSONWriter.object { writer in
            writer.member("callID", question.callID)
            writer.member("messageID", question.messageID)
        }
    }

    /// `answer`, or `answers`: one for each question; neither: an empty answer.
    @Sendable private static func reply(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        try Permissions.refuseAgents(request)
        let fields = try Fields(body: request.body)
        return try settle(batch, request, session: nil, fields.value("answers", "_answers", "answer") ?? .null)
    }

    @Sendable private static func answer(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        try Permissions.refuseAgents(request)
        let answer = try Fields(body: request.body).value("answer") ?? .null
        return try settle(batch, request, session: request.path("session_id"), answer)
    }

    @Sendable private static func reject(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        try Permissions.refuseAgents(request)
        return try settle(batch, request, session: nil, nil)
    }

    /// Gives the run its answer; nil: the user does not want to answer.
    private static func settle(
        _ batch: Batch,
        _ request: Request,
        session: String?,
        _ answer: JSONText?
    ) throws(Halt) -> Reply {
        let found = try stored { () throws(StoreError) in
            try QuestionStore.find(request.path("question_id"), in: batch.store)
        }
        guard let question = found, session == nil || session == question.sessionID else {
            throw .reply(.refusal(404, code: "APPROVAL_REQUEST_NOT_FOUND", message: "there is no such question"))
        }
        return try stored { () throws(StoreError) in
            try QuestionStore.delete(question.id, from: batch.store)
            try publish(question, answer, batch)
            if var run = batch.run(question.run), run.pendingRequest == question.id {
                run.pendingRequest = nil
                try batch.step(run, .toolEnded(question.serial, outcome(answer, question)))
            }
            return .json(JSONWriter.object { $0.member("ok", true) })
        }
    }

    private static func outcome(_ answer: JSONText?, _ question: QuestionRecord) -> ToolOutcome {
        guard let answer else { return .failed("the user does not want to answer") }
        let told = QuestionForm.told(answer, to: question.questions)
        return .completed(told.isEmpty ? "The user gave an empty answer." : told)
    }

    private static func publish(
        _ question: QuestionRecord,
        _ answer: JSONText?,
        _ batch: Batch
    ) throws(StoreError) {
        try batch.publish(
            EngineEventName.questionReplied,
            session: question.sessionID,
            run: batch.run(question.run).map { ($0.number, $0.runID) },
            JSONWriter.object { writer in
                writer.member("sessionID", question.sessionID)
                writer.member("id", question.id)
                writer.member("ok", answer != nil)
                writer.optional("answer", answer)
            }
        )
    }
}

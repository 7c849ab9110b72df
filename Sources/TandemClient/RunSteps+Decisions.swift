internal import TandemContract
internal import TandemJSON

// What a run waits for: permissions and questions, by the caller's terms.
extension RunSteps {
    mutating func decide() -> [Action] {
        var actions: [Action] = []
        let open = Set((state.permissions.all + state.questions.all).map(\.id))
        for id in decisions.asked where !open.contains(id) { actions += stopAsking(id, reason: "resolved") }
        for request in state.permissions.all where decisions.isNew(request.id) {
            actions += decide(permission: request)
        }
        for request in state.questions.all where decisions.isNew(request.id) {
            if !questionsWait { decisions.wait(forQuestion: request.id) }
            actions += decide(question: request)
        }
        return actions
    }

    private mutating func decide(permission request: RunRequests.Request) -> [Action] {
        let tool = request.properties["tool"]?.string ?? ""
        switch terms.decision(of: tool) {
        case .allow: return reply(request.id, "once")
        case .deny: return reply(request.id, "reject")
        case .manual: return []
        case .ask: return ask(request, .permission, name: tool)
        }
    }

    private mutating func decide(question request: RunRequests.Request) -> [Action] {
        switch terms.questions {
        case .ask: return ask(request, .question, name: "")
        case .reject: return reject(request.id)
        case .manual: return []
        case .answer(let text):
            let count = max(1, request.properties["questions"]?.elements.count ?? 1)
            let answers = JSONWriter.array { writer in for _ in 0..<count { writer.string(text) } }
            return answer(request.id, answers)
        }
    }

    private mutating func ask(_ request: RunRequests.Request, _ kind: HostCall.Kind, name: String) -> [Action] {
        decisions.ask(request.id)
        let call = HostCall(kind, name: name, sessionID: sessionID, runID: runID, input: request.properties)
        return [.ask(request.id, call)]
    }

    mutating func stopAsking(_ id: String, reason: String) -> [Action] {
        decisions.stopAsking(id) ? [.stopAsking(id, reason: reason)] : []
    }

    /// The host's answer; what fails is refused (tandem.h, tandem_provide).
    mutating func decided(_ id: String, _ reply: Result<JSONText, Failure>) -> [Action] {
        guard decisions.stopAsking(id) else { return [] }
        let value = try? reply.get()
        if state.questions.all.contains(where: { $0.id == id }) {
            guard let value, !value.isNull else { return reject(id) + goOn() }
            return answer(id, value) + goOn()
        }
        guard case .following = phase, state.permissions.all.contains(where: { $0.id == id }) else { return [] }
        return self.reply(id, RunSteps.word(value))
    }

    /// A reply that is no word of the engine's refuses.
    private static func word(_ value: JSONText?) -> String {
        if let isAllowed = value?.boolean { return isAllowed ? "once" : "reject" }
        let word = value?.string ?? ""
        return ["once", "always", "allow", "reject", "deny"].contains(word) ? word : "reject"
    }

    private mutating func reply(_ id: String, _ word: String) -> [Action] {
        pass(
            .permission(id),
            "permissions.reply",
            [.init("request_id", id)],
            JSONWriter.object { $0.member("reply", word) }
        )
    }

    private mutating func reject(_ id: String) -> [Action] {
        _ = decisions.settle(id, answer: nil)
        return pass(.question(id), "questions.reject", [.init("question_id", id)], nil)
    }

    private mutating func answer(_ id: String, _ answers: JSONText) -> [Action] {
        let text = answers.answerText
        _ = decisions.settle(id, answer: text)
        let path = [Request.Field("session_id", sessionID), Request.Field("question_id", id)]
        let body = JSONWriter.object { writer in
            // An engine that waits for the answers tells them apart; others only pass a text on.
            if questionsWait { writer.member("answer", answers) } else { writer.member("answer", text) }
        }
        return pass(.question(id), "questions.answer", path, body)
    }

    private mutating func pass(_ send: Send, _ name: String, _ path: [Request.Field], _ body: JSONText?) -> [Action] {
        guard let operation = Operation.named(name) else { return [] }
        let id =
            switch send {
            case .permission(let id), .question(let id): id
            default: ""
            }
        return [decisions.send(id, send, Request(operation.number, path: path, body: body))]
    }

    mutating func passed(_ id: String, _ result: Result<Reply, Failure>) -> [Action] { decisions.passed(id, result) }

    mutating func again(_ id: String) -> [Action] {
        switch phase {
        case .following, .answering: decisions.again(id)
        default: []
        }
    }

    /// Whoever follows the events has answered, by a call of its own.
    mutating func answeredElsewhere(_ id: String, _ answer: JSONText?) -> [Action] {
        let stopped = stopAsking(id, reason: "resolved")
        return decisions.settle(id, answer: answer?.answerText) ? stopped + goOn() : stopped
    }

    /// The engine says that a question is settled.
    mutating func resolved(_ properties: JSONText) -> [Action] {
        guard let id = properties["request_id"]?.string else { return [] }
        let answer = properties["ok"]?.boolean == false ? nil : properties["answer"].flatMap { $0.isNull ? nil : $0 }
        return answeredElsewhere(id, answer)
    }

    private mutating func goOn() -> [Action] {
        guard case .answering = phase else { return [] }
        return afterAnswers()
    }
}

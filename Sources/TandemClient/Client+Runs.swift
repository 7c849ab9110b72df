internal import TandemContract
internal import TandemJSON
internal import TandemSystem

// Runs that the client follows to their end.
extension Client {
    func conversationBegan(_ conversation: RunConversation, _ id: UInt64) {
        state.withLock { state in
            state.conversations += 1
            state.running[id]?.conversation = conversation
        }
    }

    func conversationEnded() { change { $0.conversations -= 1 } }

    /// A question that this client's host has answered by a call of its own is settled for a run that waits for it.
    func noteAnswer(_ operation: Operation, _ plan: Plan, _ reply: Reply) {
        guard Client.answers.contains(operation.name), Failure(reply, of: operation) == nil else { return }
        let conversations = state.withLock { $0.running.values.compactMap(\.conversation) }
        let answer = operation.name == "questions.reject" ? nil : plan.request.body?["answer"]
        for conversation in conversations {
            conversation.put(.answeredElsewhere(plan.request.path("question_id"), answer))
        }
    }

    private static let answers: Set<String> = ["questions.answer", "questions.reply", "questions.reject"]
}

internal import TandemContract
internal import TandemJSON

/// What became of the permissions and questions of a run: a value.
struct RunDecisions: Sendable {
    /// Requests that were seen; each is decided once.
    private var seen: Set<String> = []
    /// What the host is being asked.
    private(set) var asked: [String] = []
    /// Answers on their way to the engine, and how often they were sent.
    private var sent: [String: (send: RunSteps.Send, request: Request, attempts: Int)] = [:]
    /// Questions whose answers are waited for.
    private(set) var openQuestions: [String] = []
    /// Answers that the next prompt has to say.
    private var answers: [String] = []

    private static let attempts = 3

    mutating func isNew(_ id: String) -> Bool { seen.insert(id).inserted }

    mutating func ask(_ id: String) { asked.append(id) }

    /// Whether the host was being asked that.
    mutating func stopAsking(_ id: String) -> Bool {
        guard let index = asked.firstIndex(of: id) else { return false }
        asked.remove(at: index)
        return true
    }

    mutating func wait(forQuestion id: String) { openQuestions.append(id) }

    /// A question has been answered, or will not be; false where it was not open.
    mutating func settle(_ id: String, answer: String?) -> Bool {
        guard let index = openQuestions.firstIndex(of: id) else { return false }
        openQuestions.remove(at: index)
        if let answer { answers.append(answer) }
        return true
    }

    /// What the user has answered since the last prompt; nil for nothing.
    mutating func takeAnswers() -> String? {
        defer { answers = [] }
        return answers.isEmpty ? nil : answers.joined(separator: "\n")
    }

    mutating func send(_ id: String, _ send: RunSteps.Send, _ request: Request) -> RunSteps.Action {
        sent[id] = (send, request, 1)
        return .send(send, request)
    }

    /// An answer that may not have reached the engine is sent again after a while.
    mutating func passed(_ id: String, _ result: Result<Reply, Failure>) -> [RunSteps.Action] {
        guard let known = sent[id], case .failure = result, known.attempts < RunDecisions.attempts else {
            sent[id] = nil
            return []
        }
        return [.retry(id, milliseconds: 250 << known.attempts)]
    }

    mutating func again(_ id: String) -> [RunSteps.Action] {
        guard let known = sent[id] else { return [] }
        sent[id]?.attempts += 1
        return [.send(known.send, known.request)]
    }
}

package import TandemJSON

/// What the caller of `sessions.run` wants done about the permissions and questions of its run.
package struct RunTerms: Sendable, Equatable {
    package enum Decision: String, Sendable, CaseIterable {
        case ask, allow, deny
        /// Nobody decides here: whoever follows the events does.
        case manual
    }

    package enum QuestionPolicy: Sendable, Equatable {
        case ask, reject, manual
        case answer(String)
    }

    package private(set) var permissions = Decision.ask
    /// Names of tools, or beginnings of names, with what is done; the longest goes first.
    private var byTool: [Pattern] = []
    package private(set) var questions = QuestionPolicy.ask

    private struct Pattern: Sendable, Equatable {
        let name: String
        let isBeginning: Bool
        let decision: Decision

        func matches(_ tool: String) -> Bool { isBeginning ? tool.hasPrefix(name) : tool == name }
    }

    package init() {}

    /// The header by which an engine that waits for answers learns that this prompt's questions get some.
    package static let answersQuestions = "x-tandem-answers-questions"

    /// Whether questions are answered without a host's provider.
    package var answersQuestions: Bool {
        switch questions {
        case .answer, .manual: true
        case .ask, .reject: false
        }
    }

    package init(permissions: JSONText?, questions: JSONText?) throws(Failure) {
        if let permissions, !permissions.isNull { try readPermissions(permissions) }
        if let questions, !questions.isNull { try readQuestions(questions) }
    }

    package func decision(of tool: String) -> Decision { byTool.first { $0.matches(tool) }?.decision ?? permissions }

    private mutating func readPermissions(_ policy: JSONText) throws(Failure) {
        try RunTerms.requireMembers(policy, "permissions", ["default", "by_tool"])
        if let standard = policy["default"] { permissions = try RunTerms.decision("permissions.default", standard) }
        guard let tools = policy["by_tool"], !tools.isNull else { return }
        guard tools.kind == .object else { throw Failure(.invalidArgument, "permissions.by_tool is no object") }
        for (name, word) in tools.members {
            let isBeginning = name.hasSuffix("*")
            let decision = try RunTerms.decision("permissions.by_tool.\(name)", word)
            byTool.append(
                Pattern(
                    name: isBeginning ? String(name.dropLast()) : name,
                    isBeginning: isBeginning,
                    decision: decision
                )
            )
        }
        // A whole name goes before the same as a beginning.
        byTool.sort { ($0.name.utf8.count, $1.isBeginning ? 1 : 0) > ($1.name.utf8.count, $0.isBeginning ? 1 : 0) }
    }

    private mutating func readQuestions(_ policy: JSONText) throws(Failure) {
        try RunTerms.requireMembers(policy, "questions", ["default", "answer"])
        switch policy["default"]?.string ?? (policy["default"] == nil ? "ask" : "") {
        case "ask": questions = .ask
        case "reject": questions = .reject
        case "manual": questions = .manual
        case "answer":
            guard let answer = policy["answer"]?.string else {
                throw Failure(.invalidArgument, "questions.answer is needed: the text that is sent to each question")
            }
            questions = .answer(answer)
        default:
            throw Failure(.invalidArgument, "questions.default is none of ask, answer, reject, manual")
        }
    }

    private static func decision(_ name: String, _ word: JSONText) throws(Failure) -> Decision {
        guard let decision = word.string.flatMap(Decision.init) else {
            throw Failure(.invalidArgument, "\(name) is none of ask, allow, deny, manual")
        }
        return decision
    }

    private static func requireMembers(_ policy: JSONText, _ name: String, _ known: [String]) throws(Failure) {
        guard policy.kind == .object else { throw Failure(.invalidArgument, "\(name) is no object") }
        if let key = policy.members.map(\.key).first(where: { !known.contains($0) }) {
            throw Failure(.invalidArgument, "\(name) has no member \(key); it has: \(known.joined(separator: ", "))")
        }
    }
}

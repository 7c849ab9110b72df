package import TandemJSON

/// What is known of models without asking again: a value, kept by the client.
package struct ModelKnowledge: Sendable {
    /// Whether a session names a model of its own.
    private var sessions: [String: Bool] = [:]
    /// The configured default as a prompt names it; .some(nil): there is none.
    private(set) var standard: JSONText??

    private static let limit = 4_096

    package init() {}

    subscript(_ session: String) -> Bool? { sessions[session] }

    /// Takes in what a session's record says.
    package mutating func note(session: JSONText) {
        guard let id = session["id"]?.string else { return }
        note(id, session)
    }

    /// Takes in what the engine answered when it was asked for that session.
    mutating func note(_ id: String, _ session: JSONText) {
        if sessions.count >= ModelKnowledge.limit { sessions = [:] }
        sessions[id] = !(session["model"]?.isNull ?? true)
    }

    /// The configuration has changed: the default is read again when it is needed.
    package mutating func forgetDefault() { standard = nil }

    /// Takes in the engine's provider configuration.
    package mutating func note(providers: JSONText) {
        guard let provider = providers["default"]?.string,
            let model = providers.at("providers", provider, "default_model")?.string
        else {
            standard = .some(nil)
            return
        }
        standard = JSONWriter.object { writer in
            writer.member("providerID", provider)
            writer.member("modelID", model)
        }
    }
}

/// A prompt with what its recipe does around it (contract/recipes.json): a value that says what to do next.
package struct PromptSteps: CallSteps {
    private enum Phase {
        case session, providers, prompt
        /// Waiting for a run to end.
        case cancelling(String)
        case watching(String)
        case answer
    }

    /// What is known so far, for the prompts after this one too.
    package private(set) var models: ModelKnowledge
    package var knowledge: ModelKnowledge? { models }
    private let operation: Operation
    private var request: Request
    private let policy: CallOptions.ConflictPolicy
    private let completesModel: Bool
    private var phase = Phase.prompt
    private var pauses: Int64 = 0
    private let session: String

    private static let firstPause: Int64 = 100
    private static let longestPause: Int64 = 1_000

    package init(_ operation: Operation, _ plan: Plan, completesModel: Bool, _ knowledge: ModelKnowledge) {
        self.operation = operation
        request = plan.request
        policy = plan.options.onConflict
        self.completesModel = completesModel && (plan.request.body?["model"]?.isNull ?? true)
        models = knowledge
        session = plan.request.path("session_id")
    }

    /// Whether the recipe may need more than the one request.
    package static func areNeeded(_ operation: Operation, _ plan: Plan, completesModel: Bool) -> Bool {
        guard operation.recipe == "prompt" || operation.recipe == "prompt_sync", !plan.options.isStrict else {
            return false
        }
        return completesModel || plan.options.onConflict != .fail
    }

    package mutating func begin() -> Step { completesModel ? model() : prompt() }

    /// After a request's answer.
    package mutating func next(_ result: Result<Reply, Failure>) -> Step {
        switch phase {
        case .session, .providers: return learned(result)
        case .prompt: return answered(result)
        case .cancelling(let run):
            if case .failure(let failure) = result { return .end(.failure(failure)) }
            return watch(run)
        case .watching(let run):
            guard case .success(let reply) = result, reply.status < 400 else { return .end(result) }
            let active = PromptSteps.runID(reply.json?["active"])
            if active == run { return pause() }
            return policy == .attach ? readAnswer() : prompt()
        case .answer: return .end(result)
        }
    }

    /// After a pause.
    package mutating func resume() -> Step {
        guard case .watching(let run) = phase else { return prompt() }
        return watch(run)
    }

    private mutating func model() -> Step {
        let hasModel = models[session]
        if hasModel == true { return prompt() }
        // First what is read once for all sessions: where there is no default, no session need be read.
        guard let known = models.standard else { return ask("providers.config", .providers) }
        guard let standard = known else { return prompt() }
        guard hasModel != nil else { return ask("sessions.get", .session) }
        request.body = (request.body ?? .emptyObject).removing("model").adding("model", standard)
        return prompt()
    }

    /// An answer about models that is none ends nothing: the prompt goes as it is, and the engine says what is wrong.
    private mutating func learned(_ result: Result<Reply, Failure>) -> Step {
        if case .failure(let failure) = result, failure.name == .cancelled || failure.name == .timeout {
            return .end(result)
        }
        guard case .success(let reply) = result, reply.status < 400, let json = reply.json else { return prompt() }
        if case .session = phase {
            guard json.kind == .object else { return prompt() }
            models.note(session, json)
            return model()
        }
        models.note(providers: json)
        return model()
    }

    private mutating func prompt() -> Step {
        phase = .prompt
        return .send(request)
    }

    private mutating func answered(_ result: Result<Reply, Failure>) -> Step {
        guard case .success(let reply) = result, policy != .fail,
            Failure(reply, of: operation)?.name == .runConflict, let run = PromptSteps.runID(reply.json?["activeRun"])
        else { return .end(result) }
        switch policy {
        case .fail: return .end(result)
        case .wait: return watch(run)
        case .attach: return operation.recipe == "prompt" ? .end(.success(attached(run, reply))) : watch(run)
        case .cancelActive:
            pauses = 0
            return ask("sessions.cancel_run", .cancelling(run), run: run)
        }
    }

    private func attached(_ run: String, _ reply: Reply) -> Reply {
        .json(
            JSONWriter.object { writer in
                writer.member("runID", run)
                writer.member("sessionID", session)
                writer.member("attached", true)
                writer.optional("attachEventStream", reply.json?["attachEventStream"])
                writer.optional("activeRun", reply.json?["activeRun"])
            }
        )
    }

    private mutating func watch(_ run: String) -> Step { ask("sessions.active_run", .watching(run)) }

    private mutating func pause() -> Step {
        pauses += 1
        return .pause(milliseconds: min(PromptSteps.firstPause * pauses, PromptSteps.longestPause))
    }

    private mutating func readAnswer() -> Step { ask("sessions.messages", .answer) }

    private mutating func ask(_ name: String, _ phase: Phase, run: String? = nil) -> Step {
        guard let operation = Operation.named(name) else { return prompt() }
        self.phase = phase
        var path = [Request.Field("session_id", session)]
        if let run { path.append(.init("run_id", run)) }
        return .send(Request(operation.number, path: operation.path.contains { $0.isArgument } ? path : []))
    }

    private static func runID(_ run: JSONText?) -> String? {
        guard let run else { return nil }
        return ["runID", "runId", "run_id", "id"].lazy.compactMap { run[$0]?.string }.first
    }

}

extension Operation.PathPiece {
    fileprivate var isArgument: Bool { if case .argument = self { true } else { false } }
}

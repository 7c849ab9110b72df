internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// The steps of a prompt's recipe on an engine: for a started operation, and for a blocking call.
final class PromptConversation: Sink {
    private let client: Client
    private let call: Call
    private let last: any Sink
    private let steps: Lock<PromptSteps>

    private init(_ client: Client, _ steps: PromptSteps, _ call: Call, _ last: any Sink) {
        self.client = client
        self.call = call
        self.last = last
        self.steps = Lock(steps)
    }

    /// Begins the steps; `last` gets what they end with.
    static func start(_ client: Client, _ steps: PromptSteps, _ call: Call, into last: any Sink) {
        let conversation = PromptConversation(client, steps, call, last)
        conversation.perform(conversation.steps.withLock { $0.begin() })
    }

    /// Takes the steps on the calling thread.
    static func run(_ client: Client, _ steps: PromptSteps, _ call: Call) -> Result<Reply, Failure> {
        var steps = steps
        var step = steps.begin()
        defer { client.knows(steps.knowledge) }
        while true {
            switch step {
            case .send(let request): step = steps.next(client.backend.answer(request, call))
            case .pause(let milliseconds):
                if let failure = pause(call, milliseconds) { return .failure(failure) }
                step = steps.resume()
            case .end(let result): return result
            }
        }
    }

    private static func pause(_ call: Call, _ milliseconds: Int64) -> Failure? {
        let isCancelled = Monitor(false)
        call.whenCancelled { isCancelled.change { $0 = true } }
        let end = Deadline(afterMilliseconds: min(milliseconds, call.deadline.millisecondsLeft ?? milliseconds))
        if isCancelled.wait(until: end, for: { $0 ? true : nil }) != nil { return .stoppedWaiting }
        return call.deadline.hasPassed ? Failure(.timeout, "the active run did not end in time") : nil
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int { last.take(events) }

    func end(_ outcome: Result<Reply?, Failure>) {
        let result = outcome.flatMap { reply -> Result<Reply, Failure> in
            reply.map { .success($0) } ?? .failure(Failure(.internalError, "a prompt ended without a reply"))
        }
        perform(steps.withLock { $0.next(result) })
    }

    private func perform(_ step: PromptSteps.Step) {
        switch step {
        case .send where call.isCancelled, .pause where call.isCancelled: last.end(.failure(.stoppedWaiting))
        case .send(let request): client.backend.start(request, call, into: self)
        case .pause(let milliseconds):
            _ = client.loop.after(Deadline(afterMilliseconds: milliseconds)) { [self] in
                perform(steps.withLock { $0.resume() })
            }
        case .end(let result):
            client.knows(steps.withLock { $0.knowledge })
            last.end(result.map { $0 })
        }
    }
}

extension Failure {
    fileprivate static let stoppedWaiting = Failure(.cancelled, "the operation was cancelled")
}

// What a client knows of models.
extension Client {
    func promptSteps(_ operation: Operation, _ plan: Plan) -> PromptSteps? {
        let completesModel = backend.needsDefaultModel
        guard PromptSteps.areNeeded(operation, plan, completesModel: completesModel) else { return nil }
        return PromptSteps(operation, plan, completesModel: completesModel, models.withLock { $0 })
    }

    func knows(_ knowledge: ModelKnowledge) { models.withLock { $0 = knowledge } }

    /// A session's record tells whether it has a model.
    func learn(_ result: Result<Reply, Failure>, _ operation: Operation) {
        guard backend.needsDefaultModel, Client.sessionRecords.contains(operation.name),
            case .success(let reply) = result, reply.status < 300, let json = reply.json
        else { return }
        models.withLock { models in
            if json.kind == .array { for session in json.elements { models.note(session: session) } }
            if json.kind == .object { models.note(session: json) }
        }
    }

    private static let sessionRecords: Set<String> = [
        "sessions.create", "sessions.get", "sessions.list", "sessions.update",
    ]
}

internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// The steps of a call on an engine: for a started operation, and for a blocking call.
final class Conversation: Sink {
    private let client: Client
    private let call: Call
    private let last: any Sink
    private let steps: Lock<any CallSteps>

    private init(_ client: Client, _ steps: any CallSteps, _ call: Call, _ last: any Sink) {
        self.client = client
        self.call = call
        self.last = last
        self.steps = Lock(steps)
    }

    /// Begins the steps; `last` gets what they end with.
    static func start(_ client: Client, _ steps: any CallSteps, _ call: Call, into last: any Sink) {
        let conversation = Conversation(client, steps, call, last)
        conversation.perform(conversation.steps.withLock { $0.begin() })
    }

    /// Takes the steps on the calling thread.
    static func run(_ client: Client, _ steps: any CallSteps, _ call: Call) -> Result<Reply, Failure> {
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
        return call.deadline.hasPassed ? Failure(.timeout, "time ran out") : nil
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int { last.take(events) }

    func end(_ outcome: Result<Reply?, Failure>) {
        let result = outcome.flatMap { reply -> Result<Reply, Failure> in
            reply.map { .success($0) } ?? .failure(Failure(.internalError, "a request ended without a reply"))
        }
        proceed(steps.withLock { $0.next(result) })
    }

    /// Takes a step after the first, but none past the deadline: who waits may hear of that before the call is cancelled.
    private func proceed(_ step: CallStep) {
        switch step {
        case .send where call.deadline.hasPassed, .pause where call.deadline.hasPassed:
            last.end(.failure(Failure(.timeout, "time ran out")))
        default: perform(step)
        }
    }

    private func perform(_ step: CallStep) {
        switch step {
        case .send where call.isCancelled, .pause where call.isCancelled: last.end(.failure(.stoppedWaiting))
        case .send(let request): client.backend.start(request, call, into: self)
        case .pause(let milliseconds):
            _ = client.loop.after(Deadline(afterMilliseconds: milliseconds)) { [self] in
                proceed(steps.withLock { $0.resume() })
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
    func steps(_ operation: Operation, _ plan: Plan) -> (any CallSteps)? {
        guard operation.recipe != nil || plan.options.wantsAll else { return nil }
        return Recipe.steps(operation, plan, completesModel: backend.needsDefaultModel, models.withLock { $0 })
    }

    func knows(_ knowledge: ModelKnowledge?) {
        if let knowledge { models.withLock { $0 = knowledge } }
    }

    /// A session's record tells whether it has a model, the configuration which default there is; when that has changed,
    /// the default is read again.
    func learn(_ result: Result<Reply, Failure>, _ operation: Operation) {
        guard backend.needsDefaultModel, case .success(let reply) = result, reply.status < 300 else { return }
        if Client.configurationChanges.contains(operation.name) { return models.withLock { $0.forgetDefault() } }
        guard let json = reply.json else { return }
        if operation.name == "providers.config" { return models.withLock { $0.note(providers: json) } }
        guard Client.sessionRecords.contains(operation.name) else { return }
        models.withLock { models in
            if json.kind == .array { for session in json.elements { models.note(session: session) } }
            if json.kind == .object { models.note(session: json) }
        }
    }

    private static let sessionRecords: Set<String> = [
        "sessions.create", "sessions.get", "sessions.list", "sessions.update",
    ]
    private static let configurationChanges: Set<String> = [
        "providers.set_defaults", "config.patch", "config.patch_global",
    ]
}

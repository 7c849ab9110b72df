internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// `sessions.run` under way: does what its steps say.
///
/// It follows the run by a stream of its own that is never behind, so that a permission is answered in time however slow
/// the operation's taker is; what the taker sees comes by another stream, at its pace.
final class RunConversation: Sendable {
    private struct State: Sendable {
        var steps: RunSteps
        var inbox: [RunSteps.Input] = []
        var isBusy = false
        var calls: [RunSteps.Send: Call] = [:]
        var stream: Call?
        var shown: Call?
        /// Runs whose events wait until those of the run before have been shown.
        var unshown: [String] = []
        var asked: [String: UInt64] = [:]
        var isOver = false
    }

    private let client: Client
    private let call: Call
    private let id: UInt64
    private let plan: Plan
    private let shows: Bool
    private let state: Lock<State>

    /// What a request beside the prompt may take, and how long a prompt that was told to stop is waited for: together
    /// they fit into the time that stopping may take.
    private static let requestMilliseconds: Int64 = 20_000
    private static let stopMilliseconds: Int64 = 2_400

    private init(_ client: Client, _ call: Call, _ id: UInt64, _ plan: Plan, _ steps: RunSteps) {
        self.client = client
        self.call = call
        self.id = id
        self.plan = plan
        shows = steps.shows
        state = Lock(State(steps: steps))
    }

    static func start(_ client: Client, _ call: Call, _ id: UInt64, _ plan: Plan) {
        guard let operation = Operation.numbered(plan.request.operation) else { return }
        let steps = RunSteps(
            operation,
            plan,
            completesModel: client.backend.needsDefaultModel,
            client.models.withLock { $0 },
            questionsWait: client.backend.questionsWait,
            shows: plan.options.showsEvents,
            now: client.clock.milliseconds
        )
        let conversation = RunConversation(client, call, id, plan, steps)
        call.whenResumed { conversation.state.withLock { $0.shown }?.resume() }
        call.whenCancelled {
            conversation.put(.stop)
            conversation.after(client.options.stopMilliseconds, .stopOver)
        }
        client.conversationBegan(conversation, id)
        conversation.put(.begin)
    }

    /// Inputs are taken one after another, in their order, whichever threads they come from.
    func put(_ input: RunSteps.Input) {
        let isFirst = state.withLock { state in
            state.inbox.append(input)
            defer { state.isBusy = true }
            return !state.isBusy
        }
        if !isFirst { return }
        while let actions = next() { for action in actions { perform(action) } }
    }

    private func next() -> [RunSteps.Action]? {
        state.withLock { state in
            guard !state.inbox.isEmpty else {
                state.isBusy = false
                return nil
            }
            return state.steps.take(state.inbox.removeFirst())
        }
    }

    private func perform(_ action: RunSteps.Action) {
        switch action {
        case .send(let send, let request): self.send(send, request)
        case .stopSending(let send): state.withLock { $0.calls[send] }?.cancel()
        case .pause(let milliseconds): after(milliseconds, .waited)
        case .follow(let run): follow(run)
        case .stopShowing: state.withLock { $0.shown }?.cancel()
        case .ask(let request, let call): ask(request, call)
        case .stopAsking(let request, let reason):
            if let call = state.withLock({ $0.asked.removeValue(forKey: request) }) {
                client.desk.cancel(call, reason: reason)
            }
        case .retry(let request, let milliseconds): after(milliseconds, .again(request))
        case .startGrace: after(RunConversation.stopMilliseconds, .graceOver)
        case .end(let result): end(result)
        }
    }

    private func after(_ milliseconds: Int64, _ input: RunSteps.Input) {
        client.loop.after(Deadline(afterMilliseconds: milliseconds)) { [weak self] in self?.put(input) }
    }

    private func end(_ result: Result<JSONText, Failure>) {
        let calls: [Call] = state.withLock { state in
            state.isOver = true
            defer { (state.stream, state.shown, state.unshown) = (nil, nil, []) }
            return [state.stream, state.shown].compactMap(\.self)
        }
        for call in calls { call.cancel() }
        client.knows(state.withLock { $0.steps.prompt.models })
        client.end(id, result)
        call.finish()
        client.conversationEnded()
    }
}

// Requests.
extension RunConversation {
    /// How requests of the run are sent: as the caller's own are, but never strictly, because a prompt's run has to be
    /// followed from its beginning.
    private var options: CallOptions {
        var options = plan.options
        options.isStrict = false
        return options
    }

    private func send(_ send: RunSteps.Send, _ request: Request) {
        let limit =
            switch send {
            case .prompt: Int64(-1)
            case .cancelRun: RunConversation.stopMilliseconds
            default: RunConversation.requestMilliseconds
            }
        let deadline = limit < 0 ? call.deadline : Deadline(afterMilliseconds: limit)
        let request = (call: Call(deadline: deadline, options: options), value: request)
        state.withLock { $0.calls[send] = request.call }
        let timer = limit < 0 ? nil : client.loop.after(deadline) { request.call.cancel() }
        let reply = EventSink { [self] outcome in
            if let timer { client.loop.cancelTimer(timer) }
            state.withLock { $0.calls[send] = nil }
            let none = Failure(.internalError, "a request ended without a reply")
            put(.answered(send, outcome.flatMap { reply in reply.map { .success($0) } ?? .failure(none) }))
        }
        client.backend.start(request.value, request.call, into: reply)
    }
}

// Streams.
extension RunConversation {
    private func follow(_ run: String) {
        guard let request = Request.events(ofSession: plan.request.path("session_id"), run: run) else { return }
        let call = Call(deadline: .never, options: options)
        state.withLock { $0.stream = call }
        let tap = EventSink(
            take: { [self] events in
                put(.events(Array(events)))
                return events.count
            },
            end: { [self] outcome in
                call.finish()
                put(.streamEnded(outcome))
            }
        )
        client.backend.start(request, call, into: tap)
        if shows { show(run) }
    }

    /// Shows a run's events, after those of the run before.
    private func show(_ run: String) {
        let isFirst = state.withLock { state in
            state.unshown.append(run)
            return state.unshown.count == 1
        }
        if isFirst { showNext() }
    }

    private func showNext() {
        let run: String? = state.withLock { $0.isOver ? nil : $0.unshown.first }
        guard let run, let request = Request.events(ofSession: plan.request.path("session_id"), run: run) else {
            return
        }
        let forwarder = EventForwarder(client, id, plan.options, sessionID: request.session, runID: run)
        let call = Call(deadline: .never, options: options)
        state.withLock { $0.shown = call }
        let display = EventSink(
            take: { forwarder.take($0) },
            end: { [self] _ in
                call.finish()
                state.withLock { state in if !state.unshown.isEmpty { state.unshown.removeFirst() } }
                put(.shown)
                showNext()
            }
        )
        client.backend.start(request, call, into: display)
    }
}

// The host.
extension RunConversation {
    private func ask(_ request: String, _ call: HostCall) {
        var call = call
        call.operation = id
        let receiver = RunReceiver { [self] reply in
            state.withLock { $0.asked[request] = nil }
            put(.decided(request, reply))
        }
        guard let asked = client.desk.ask(call, receiver) else {
            return put(.decided(request, .failure(Failure(.hostFailed, "the host offers nobody to ask"))))
        }
        state.withLock { $0.asked[request] = asked }
    }
}

/// Hears the host's answer to one question.
private final class RunReceiver: HostReceiver {
    private let receive: @Sendable (Result<JSONText, Failure>) -> Void

    init(_ receive: @escaping @Sendable (Result<JSONText, Failure>) -> Void) { self.receive = receive }

    func take(chunk: JSONText) {}

    func end(_ reply: Result<JSONText, Failure>) { receive(reply) }
}

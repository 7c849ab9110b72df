internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// Asks the host for the decisions that runs wait for, and passes its replies on, while it offers to decide them.
///
/// It follows all events of the engine, whichever that is, by a stream of its own. What it does runs on the io thread.
final class DecisionFollower: Sendable {
    private struct State: Sendable {
        weak var client: Client?
        var open = OpenDecisions()
        var stream: DecisionStream?
        /// Host calls by the request that they are about.
        var calls: [String: UInt64] = [:]
        var pauseMilliseconds = DecisionFollower.firstPause
        var isClosed = false
    }

    private let state = Lock(State())

    private static let firstPause: Int64 = 250
    private static let longestPause: Int64 = 10_000

    /// Takes up what the host now offers to decide.
    func follow(_ client: Client) {
        state.withLock { $0.client = client }
        client.loop.post { [self] in
            let offers = client.hostOffers
            var wanted: [OpenDecisions.Kind] = []
            if offers.answersPermissions { wanted.append(.permission) }
            if offers.answersQuestions { wanted.append(.question) }
            perform(state.withLock { $0.open.want(wanted) })
            if wanted.isEmpty { state.withLock { $0.stream.take() }?.call.cancel() } else { connect() }
        }
    }

    /// The client closes.
    func close() {
        let stream = state.withLock { state in
            state.isClosed = true
            return state.stream.take()
        }
        stream?.call.cancel()
    }

    private func connect() {
        guard let operation = Operation.named("engine.stream") else { return }
        let (client, stream): (Client?, DecisionStream?) = state.withLock { state in
            guard state.stream == nil, !state.isClosed, !state.open.wanted.isEmpty, let client = state.client else {
                return (nil, nil)
            }
            let stream = DecisionStream(self, client.loop)
            state.stream = stream
            return (client, stream)
        }
        if let client, let stream { client.backend.start(Request(operation.number), stream.call, into: stream) }
    }

    func heard(_ event: EngineEvent, from stream: DecisionStream) {
        let actions: [OpenDecisions.Action] = state.withLock { state in
            guard state.stream === stream, let client = state.client else { return [] }
            state.pauseMilliseconds = DecisionFollower.firstPause
            state.open.questionsWait = client.backend.questionsWait
            return state.open.heard(event)
        }
        perform(actions)
    }

    /// The stream is over, which it never is by itself: it is opened again.
    func lost(_ stream: DecisionStream) {
        let (client, pause): (Client?, Int64) = state.withLock { state in
            guard state.stream === stream else { return (nil, 0) }
            state.stream = nil
            state.open.disconnected()
            defer { state.pauseMilliseconds = min(2 * state.pauseMilliseconds, DecisionFollower.longestPause) }
            return (state.isClosed ? nil : state.client, state.pauseMilliseconds)
        }
        _ = client?.loop.after(Deadline(afterMilliseconds: pause)) { [weak self] in self?.connect() }
    }

    private func perform(_ actions: [OpenDecisions.Action]) {
        guard let client = state.withLock({ $0.isClosed ? nil : $0.client }) else { return }
        for action in actions {
            switch action {
            case .ask(let request): ask(client, request)
            case .cancel(let request, let reason):
                if let call = state.withLock({ $0.calls.removeValue(forKey: request.id) }) {
                    client.cancelCall(call, reason: reason)
                }
            case .list(let kind): list(client, kind)
            }
        }
    }

    private func ask(_ client: Client, _ request: OpenDecisions.Request) {
        let isAnswered = client.state.withLock { state in request.sessionID.map { state.owners.isAnswered($0) } ?? false
        }
        var call = HostCall(
            request.kind == .permission ? .permission : .question,
            name: request.name,
            sessionID: request.sessionID,
            runID: request.runID,
            input: request.input
        )
        if let expiry = request.expiresAtMilliseconds, let usual = client.timeout(of: call) {
            call.timeoutMilliseconds = min(usual, max(1, expiry.saturatingSubtract(client.clock.milliseconds)))
        }
        let id = isAnswered ? nil : client.ask(call, DecisionReceiver(self, request))
        state.withLock { state in
            if let id { state.calls[request.id] = id } else { state.open.forget(request.id) }
        }
    }

    private func list(_ client: Client, _ kind: OpenDecisions.Kind) {
        send(client, kind == .permission ? "permissions.list" : "questions.list", []) { [weak self] reply in
            guard let self, let json = reply?.json else { return }
            let records = (kind == .permission ? json["requests"] : json)?.elements ?? []
            perform(state.withLock { $0.open.listed(kind, records, atMilliseconds: client.clock.milliseconds) })
        }
    }

    /// The host has replied; what fails is refused (tandem.h, tandem_provide), unless it is nobody's here any more.
    func decided(_ request: OpenDecisions.Request, _ reply: Result<JSONText, Failure>) {
        let client = state.withLock { state in
            state.calls[request.id] = nil
            state.open.decide(request.id)
            return state.isClosed ? nil : state.client
        }
        guard let client else { return }
        let isOurs = state.withLock { $0.open.wanted.contains(request.kind) }
        switch (request.kind, reply) {
        case (_, .failure) where !isOurs: return
        case (.permission, .success(let word)): pass(client, "permissions.reply", request, ["reply": word])
        case (.permission, .failure): pass(client, "permissions.reply", request, ["reply": JSONText.reject])
        case (.question, .success(let answers)):
            // An engine that waits for the answers tells them apart; others only pass a text on.
            let answer = client.backend.questionsWait ? answers : OpenDecisions.text(ofAnswers: answers)
            pass(client, "questions.answer", request, ["answer": answer])
        case (.question, .failure): pass(client, "questions.reject", request, [:])
        }
    }

    /// Passes a decision on.
    private func pass(
        _ client: Client,
        _ operation: String,
        _ request: OpenDecisions.Request,
        _ values: [String: JSONText]
    ) {
        var arguments = values.map { ($0.key, $0.value) }
        arguments.append((request.kind == .permission ? "request_id" : "question_id", JSONText(string: request.id)))
        if operation == "questions.answer" {
            arguments.append(("session_id", JSONText(string: request.sessionID ?? "")))
        }
        send(client, operation, arguments) { [weak self] reply in
            if reply == nil { self?.state.withLock { $0.open.forget(request.id) } }
        }
    }

    /// Makes a request of the engine's; one that fails is written into the log, and has no reply.
    private func send(
        _ client: Client,
        _ name: String,
        _ arguments: [(String, JSONText)],
        _ take: @escaping @Sendable (Reply?) -> Void
    ) {
        guard let operation = Operation.named(name) else { return }
        let json = JSONWriter.object { writer in
            for (name, value) in arguments { writer.member(name, value) }
        }
        let plan: Plan
        do throws(Failure) { plan = try client.plan(operation, json) } catch {
            return client.log(2, "\(name) could not be sent", error.json(operation: name))
        }
        let deadline = Deadline(afterMilliseconds: client.options.timeoutMilliseconds)
        let call = Call(deadline: deadline, options: plan.options)
        client.backend.start(plan.request, call, into: ReplySink(client, operation, take))
    }
}

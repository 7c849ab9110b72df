internal import TandemContract
internal import TandemHTTP
internal import TandemJSON
internal import TandemSystem

// Which streams share the client's one subscription, and which prompts wait for it.
extension Remote {
    /// Identifiers of what is no run of a session: their frames come on a connection of their own only.
    private static let otherRuns = ["session-", "routine-", "automation-"]

    /// Runs a body with the subscription on the loop's thread; `refused` in its place when the loop has ended.
    func onSubscription(_ refused: () -> Void, _ body: @escaping @Sendable (Subscription) -> Void) {
        let isPosted = loop.post { [self] in
            if let subscription = subscription() { body(subscription) }
        }
        if !isPosted { refused() }
    }

    /// A prompt whose run's events have to be seen from the first on.
    func isFollowed(_ operation: Operation, _ call: Call) -> Bool {
        operation.recipe == "prompt" && !call.options.isStrict && !configuration.subscribesPerStream
    }

    /// A prompt that waits for its run's end, and hands the run's events on meanwhile.
    func isWatched(_ operation: Operation, _ call: Call) -> Bool {
        // A connection of its own is not worth opening for what nobody sees.
        operation.recipe == "prompt_sync" && !call.options.isStrict
            && (call.options.showsEvents || !configuration.subscribesPerStream)
    }

    /// The subscription that sees a session's events: the client's, or one that is only for them.
    private func onSubscription(
        of session: String,
        _ call: Call,
        _ refused: () -> Void,
        _ body: @escaping @Sendable (Subscription) -> Void
    ) {
        guard configuration.subscribesPerStream, let operation = Operation.named("engine.stream") else {
            return onSubscription(refused, body)
        }
        let request = Request(operation.number, query: [.init("sessionID", session)])
        let isPosted = loop.post { [self] in body(Subscription(self, operation, request, call)) }
        if !isPosted { refused() }
    }

    func watch(_ operation: Operation, _ request: Request, _ http: HTTPRequest, _ call: Call, _ sink: any Sink) {
        let session = request.path("session_id")
        onSubscription(of: session, call, { sink.end(.failure(.remoteClosed)) }) { subscription in
            subscription.beginPrompt { [self] in
                let id = subscription.watch(session, call, sink)
                StartedCall(self, operation, http, call) { [self] result in
                    subscription.endPrompt()
                    let isAnswer = Remote.refusal(result, operation) == nil
                    subscription.unwatch(id, awaitsEnd: isAnswer) { [self] in settle(result, operation, request, sink) }
                }.begin()
            }
        }
    }

    func follow(_ operation: Operation, _ request: Request, _ call: Call, _ sink: any Sink) {
        let filter = StreamFilter(request)
        guard isHealed(operation, filter, call.options) else {
            return DirectStream.start(self, operation, request, call, sink)
        }
        let refused = { sink.end(.failure(.remoteClosed)) }
        guard configuration.subscribesPerStream || call.options.isStrict else {
            return onSubscription(refused) { $0.follow(filter, call, sink) }
        }
        let isPosted = loop.post { [self] in
            let subscription = Subscription(self, operation, request, call)
            subscription.follow(filter, call, sink)
        }
        if !isPosted { refused() }
    }

    /// A stream of the bus, whose runs have logs to read again.
    private func isHealed(_ operation: Operation, _ filter: StreamFilter, _ options: CallOptions) -> Bool {
        let isOfOtherRun = filter.runID.map { run in Remote.otherRuns.contains { run.hasPrefix($0) } } ?? false
        return options.reconnects && !isOfOtherRun && operation.description.at("stream", "resumes")?.string == "log"
    }

    /// The run that a prompt's answer names.
    static func runID(_ result: Result<Reply, Failure>) -> String? {
        guard case .success(let reply) = result, reply.status < 300 else { return nil }
        return reply.json.flatMap { json in
            ["runID", "runId", "id"].lazy.compactMap { json[$0]?.string }.first ?? json.at("run", "id")?.string
        }
    }
}

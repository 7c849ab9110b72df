internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// `sessions.prompt_sync` on an engine whose answer comes without the run's events: they are had from its stream.
///
/// The request and its result are those of any other call. The session is watched for the run that the prompt begins, and
/// from then on the run's own stream is what the operation's taker sees.
final class FollowedPrompt: Sink {
    private struct State: Sendable {
        var isSent = false
        var watch: Call?
        var shown: Call?
        var isShown = false
        /// The stream has given more since this was last looked at.
        var progresses = false
        /// The taker has no room for more.
        var isBehind = false
        var outcome: Result<Reply?, Failure>?
        var isOver = false
    }

    private let client: Client
    private let call: Call
    private let id: UInt64
    private let plan: Plan
    private let last: any Sink
    private let send: @Sendable (FollowedPrompt) -> Void
    private let state = Lock(State())

    /// How long the prompt waits for the stream, and the end for events that do not come.
    private static let readyMilliseconds: Int64 = 2_000
    private static let patienceMilliseconds: Int64 = 5_000
    private static let beginningMilliseconds: Int64 = 1_000

    private init(
        _ client: Client,
        _ call: Call,
        _ id: UInt64,
        _ plan: Plan,
        _ last: any Sink,
        _ send: @escaping @Sendable (FollowedPrompt) -> Void
    ) {
        self.client = client
        self.call = call
        self.id = id
        self.plan = plan
        self.last = last
        self.send = send
    }

    /// send: makes the request; its end comes here, and from here to `last`, after the events.
    static func start(
        _ client: Client,
        _ call: Call,
        _ id: UInt64,
        _ plan: Plan,
        into last: any Sink,
        _ send: @escaping @Sendable (any Sink) -> Void
    ) {
        let prompt = FollowedPrompt(client, call, id, plan, last) { send($0) }
        call.whenResumed { prompt.state.withLock { $0.shown }?.resume() }
        call.whenCancelled { prompt.sendOnce() }
        client.loop.after(Deadline(afterMilliseconds: readyMilliseconds)) { prompt.sendOnce() }
        prompt.watch()
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int { events.count }

    func end(_ outcome: Result<Reply?, Failure>) {
        state.withLock { $0.outcome = outcome }
        if case .failure = outcome { return finish() }
        let (hasBegun, isShown) = state.withLock { ($0.shown != nil, $0.isShown || $0.shown == nil && $0.watch == nil) }
        if isShown { return finish() }
        // Events come by another connection, and later at times.
        waitForEvents(hasBegun ? FollowedPrompt.patienceMilliseconds : FollowedPrompt.beginningMilliseconds)
    }

    private func sendOnce() {
        let isFirst = state.withLock { state in
            defer { state.isSent = true }
            return !state.isSent
        }
        if isFirst { send(self) }
    }

    private func finish() {
        let (outcome, calls): (Result<Reply?, Failure>?, [Call]) = state.withLock { state in
            guard !state.isOver, let outcome = state.outcome else { return (nil, []) }
            state.isOver = true
            defer { (state.watch, state.shown) = (nil, nil) }
            return (outcome, [state.watch, state.shown].compactMap(\.self))
        }
        for call in calls { call.cancel() }
        if let outcome { last.end(outcome) }
    }

    /// The run is over, so its events come to an end, unless the last was lost.
    private func waitForEvents(_ milliseconds: Int64) {
        client.loop.after(Deadline(afterMilliseconds: milliseconds)) { [self] in
            let (isOver, progresses) = state.withLock { state in
                defer { state.progresses = false }
                return (state.isOver, state.progresses || state.isBehind)
            }
            if isOver { return }
            if progresses { waitForEvents(FollowedPrompt.patienceMilliseconds) } else { finish() }
        }
    }
}

// Streams.
extension FollowedPrompt {
    private var options: CallOptions {
        var options = plan.options
        options.take = nil
        return options
    }

    /// Watches the session until the prompt's run begins.
    private func watch() {
        guard let request = Request.events(ofSession: plan.request.path("session_id")) else { return sendOnce() }
        let call = Call(deadline: .never, options: options)
        state.withLock { $0.watch = call }
        let sink = EventSink(
            take: { [self] events in
                for event in events where event.type == EngineEventName.sessionRunStarted {
                    if let run = event.properties["runID"]?.string { show(run) }
                }
                sendOnce()
                return events.count
            },
            end: { [self] _ in
                call.finish()
                state.withLock { $0.watch = nil }
                sendOnce()
            }
        )
        client.backend.start(request, call, into: sink)
    }

    private func show(_ run: String) {
        let call = Call(deadline: .never, options: options)
        let watch: Call? = state.withLock { state in
            guard state.isSent, state.shown == nil, !state.isOver else { return nil }
            state.shown = call
            defer { state.watch = nil }
            return state.watch
        }
        guard let watch, let request = Request.events(ofSession: plan.request.path("session_id"), run: run) else {
            return
        }
        watch.cancel()
        let forwarder = EventForwarder(client, id, plan.options, sessionID: request.session, runID: run)
        let sink = EventSink(
            take: { [self] events in
                let count = forwarder.take(events)
                state.withLock { ($0.progresses, $0.isBehind) = (true, count < events.count) }
                return count
            },
            end: { [self] _ in
                call.finish()
                state.withLock { $0.isShown = true }
                finish()
            }
        )
        client.backend.start(request, call, into: sink)
    }
}

internal import TandemContract
internal import TandemHTTP
internal import TandemJSON
internal import TandemSystem

/// One connection to an engine's events, with all that follow it: does what its feed decides; on the loop's thread only.
///
/// The engine's own filters lose what they cannot place: so a client takes everything over one connection, before its
/// first prompt is sent. With `"subscription": "session"` each stream has a connection of its own.
final class Subscription: @unchecked Sendable {
    unowned let remote: Remote
    private let operation: Operation
    private let request: Request
    private let options: CallOptions
    private let deadline: Deadline
    private(set) var feed: EventFeed
    private(set) var sinks: [Int: any Sink] = [:]
    /// What is done when a watched session's run is over.
    var leaving: [Int: () -> Void] = [:]
    private var issued = 0
    private var transfer: StreamTransfer?
    private var reopening: TimerID?
    private var timer: (id: TimerID, due: UInt64)?
    /// Prompts that wait for the connection.
    private var waiting: [() -> Void] = []
    private var prompts = 0
    private var closing: TimerID?
    private var connections = 0
    /// A connection of one stream's own is kept by nobody else.
    private var own: Subscription?
    private var isClosed = false

    /// How long the connection stays when nothing uses it.
    private static let lingerMilliseconds: Int64 = 5_000

    /// The connection that a client's streams share.
    init(_ remote: Remote, _ operation: Operation) {
        self.remote = remote
        self.operation = operation
        request = Request(operation.number)
        options = CallOptions()
        deadline = .never
        feed = EventFeed()
    }

    /// A connection that the engine filters, for one stream.
    init(_ remote: Remote, _ operation: Operation, _ request: Request, _ call: Call) {
        self.remote = remote
        self.operation = operation
        self.request = request
        options = call.options
        deadline = call.deadline
        feed = EventFeed(isShared: false)
    }

    /// Calls back when the events of what is sent now will be seen, or cannot be.
    func beginPrompt(_ ready: @escaping () -> Void) {
        prompts += 1
        open()
        if feed.isLive || isClosed { ready() } else { waiting.append(ready) }
    }

    /// The prompt has been answered: with a run, where there is one now.
    func endPrompt(_ result: Result<Reply, Failure>? = nil, session: String = "") {
        prompts -= 1
        if let result, let run = Remote.runID(result) {
            let isOld = (try? result.get())?.json?["idempotentReplay"]?.boolean ?? false
            feed.await(run, session: session, isNew: !isOld)
        }
        settle()
    }

    func follow(_ filter: StreamFilter, _ call: Call, _ sink: any Sink) {
        let id = add(filter, sink)
        let loop = remote.loop
        call.whenResumed { [weak self] in
            let subscription = self
            loop.post { subscription?.resume(id) }
        }
        call.whenCancelled { [weak self] in
            let subscription = self
            loop.post { subscription?.end(id, .failure(.remoteCancelled)) }
        }
        settle()
    }

    func add(_ filter: StreamFilter, _ sink: any Sink) -> Int {
        issued += 1
        sinks[issued] = sink
        if !feed.isShared { own = self }
        feed.follow(issued, filter, now: Deadline.now)
        open()
        return issued
    }

    /// Everything ends, as the client does.
    func close() {
        isClosed = true
        disconnect()
        feed.endAll(.remoteClosed)
        letPromptsGo()
        settle()
    }

    private func letPromptsGo() {
        let ready = waiting
        waiting = []
        for body in ready { body() }
    }

    func resume(_ id: Int) {
        feed.resume(id, now: Deadline.now)
        settle()
    }

    func end(_ id: Int, _ outcome: Result<Reply?, Failure>) {
        guard let sink = sinks.removeValue(forKey: id) else { return }
        feed.unfollow(id)
        sink.end(outcome)
        closeIfUnused()
    }
}

// The connection.
extension Subscription {
    private func open() {
        if let closing { remote.loop.cancelTimer(closing) }
        closing = nil
        if transfer == nil, reopening == nil, !isClosed { connect() }
    }

    private func connect() {
        reopening = nil
        connections += 1
        let number = connections
        var options = options
        // What comes after the first time has a rhythm of its own.
        if feed.wasLive { options.retries = 0 }
        do throws(Failure) {
            let made = StreamTransfer(
                remote,
                operation,
                try remote.builder.make(operation, request, options),
                options,
                until: deadline,
                receive: { [weak self] in self?.take($0, from: number) },
                finish: { [weak self] in self?.lose($0, number) }
            )
            transfer = made
            made.begin()
        } catch { lose(error, number) }
    }

    private func take(_ frames: [StreamFrame], from connection: Int) {
        guard connection == connections else { return }
        feed.take(frames, now: Deadline.now)
        settle()
    }

    /// The connection is gone; nil: the engine ended it.
    private func lose(_ failure: Failure?, _ connection: Int) {
        guard connection == connections else { return }
        let wait = transfer?.retryMilliseconds
        transfer = nil
        let failure = failure ?? Failure(.engineUnavailable, "the engine ended the stream")
        feed.lost(failure, wait: wait, random: remote.random.next())
        settle()
    }

    private func disconnect() {
        transfer?.close()
        transfer = nil
        connections += 1
        if let reopening { remote.loop.cancelTimer(reopening) }
        reopening = nil
    }

    private func closeIfUnused() {
        guard !feed.isUsed, prompts == 0, transfer != nil || reopening != nil || own != nil, closing == nil else {
            return
        }
        let linger = feed.isShared ? Subscription.lingerMilliseconds : 0
        // What kept itself is kept by its timer from here on, which a loop that ends drops.
        let kept = own
        own = nil
        closing = remote.loop.after(Deadline(afterMilliseconds: linger)) { [weak self, kept] in
            (kept ?? self)?.closeUnused()
        }
    }

    private func closeUnused() {
        closing = nil
        guard !feed.isUsed, prompts == 0 else { return }
        disconnect()
        feed = EventFeed(isShared: feed.isShared)
        setTimer()
    }
}

// What the feed decides.
extension Subscription {
    func stopComparing(_ id: Int) {
        guard sinks[id] != nil else { return }
        feed.change(id) { $0.stopComparing() }
        settle()
    }

    private func settle() {
        while true {
            let actions = feed.takeActions()
            for action in actions { act(action) }
            let touched = feed.takeTouched()
            for id in touched { offer(id) }
            if actions.isEmpty, touched.isEmpty { break }
        }
        leaveWhatIsOver()
        setTimer()
        closeIfUnused()
    }

    private func offer(_ id: Int) {
        guard let sink = sinks[id] else { return }
        if let pending = feed.offer(to: id) { feed.took(sink.take(pending), by: id, now: Deadline.now) }
        if let outcome = feed.outcome(of: id) { end(id, outcome) }
    }

    private func act(_ action: EventFeed.Action) {
        switch action {
        case .connect(let milliseconds):
            reopening = remote.loop.after(Deadline(afterMilliseconds: max(milliseconds, 1))) { [weak self] in
                self?.connect()
            }
        case .letPromptsGo: letPromptsGo()
        case .readLog(let run, let after): readLog(run, after)
        case .readActiveRun(let session):
            read("sessions.active_run", path: [.init("session_id", session)]) { [weak self] result in
                guard let self else { return }
                feed.tookActiveRun((try? result.get())?.json, of: session, now: Deadline.now)
                settle()
            }
        case .readRequests(let round): readRequests(round)
        }
    }

    private func readLog(_ run: String, _ after: Int64) {
        let query = [Request.Field("after_seq", String(after)), .init("limit", String(LogPage.limit))]
        read("engine.run_events", path: [.init("run_id", run)], query: query) { [weak self] result in
            guard let self else { return }
            var refusal: Failure?
            if case .failure(let failure) = result { refusal = failure }
            let page = LogPage((try? result.get())?.json, of: run, after: after)
            feed.took(page, of: run, after: after, refusal, now: Deadline.now)
            settle()
        }
    }

    private func readRequests(_ round: Int64) {
        read("permissions.list") { [weak self] permissions in
            guard let self else { return }
            read("questions.list") { [weak self] questions in
                guard let self else { return }
                let now = SystemClock().milliseconds
                let lists = [
                    RequestList(permissions: (try? permissions.get())?.json, now: now),
                    RequestList(questions: (try? questions.get())?.json, now: now),
                ]
                feed.tookRequests(lists, round: round, now: Deadline.now)
                settle()
            }
        }
    }

    private func read(
        _ name: String,
        path: [Request.Field] = [],
        query: [Request.Field] = [],
        _ finish: @escaping (Result<Reply, Failure>) -> Void
    ) {
        guard let operation = Operation.named(name) else { return }
        remote.readings.read(operation, Request(operation.number, path: path, query: query), remote, finish)
    }

    private func setTimer() {
        let due = feed.due
        if due == timer?.due { return }
        if let timer { remote.loop.cancelTimer(timer.id) }
        timer = nil
        guard let due else { return }
        let id = remote.loop.after(Deadline(nanoseconds: due)) { [weak self] in
            guard let self else { return }
            timer = nil
            feed.tick(now: Deadline.now)
            settle()
        }
        timer = (id, due)
    }
}

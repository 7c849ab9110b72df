internal import TandemContract
internal import TandemHTTP
internal import TandemJSON
internal import TandemSystem

/// The one connection to an engine's events that all streams of a client share; on the loop's thread only.
///
/// The engine's own filters lose what they cannot place, and events cannot be had again: so everything is taken, before
/// the first prompt is sent, and handed out here.
final class Subscription: @unchecked Sendable {
    private final class Follower {
        let filter: StreamFilter
        let outlet: Outlet

        init(_ filter: StreamFilter, _ outlet: Outlet) {
            self.filter = filter
            self.outlet = outlet
        }
    }

    private unowned let remote: Remote
    private let operation: Operation
    private var transfer: StreamTransfer?
    private var isLive = false
    /// The frames that every stream begins with.
    private var opening: [EngineEvent] = []
    private var followers: [Int: Follower] = [:]
    private var issued = 0
    /// What waits for the connection.
    private var waiting: [() -> Void] = []
    private var prompts = 0
    /// Runs that this client began, until they end.
    private var awaited: Set<String> = []
    private var book = RunBook()
    private var closing: TimerID?

    /// How long the connection stays when nothing uses it.
    private static let lingerMilliseconds: Int64 = 5_000

    init(_ remote: Remote, _ operation: Operation) {
        self.remote = remote
        self.operation = operation
    }

    /// Calls back when the events of what is sent now will be seen, or cannot be.
    func beginPrompt(_ ready: @escaping () -> Void) {
        prompts += 1
        open()
        if isLive { ready() } else { waiting.append(ready) }
    }

    /// The prompt has been answered: with a run, where there is one now.
    func endPrompt(_ runID: String?) {
        prompts -= 1
        if let runID, transfer != nil, book[runID]?.endedAt == nil { awaited.insert(runID) }
        closeIfUnused()
    }

    func follow(_ filter: StreamFilter, _ call: Call, _ sink: any Sink) {
        let outlet = Outlet(sink)
        issued += 1
        let id = issued
        followers[id] = Follower(filter, outlet)
        let loop = remote.loop
        call.whenResumed { loop.post { outlet.resume() } }
        call.whenCancelled { [weak self] in
            let subscription = self
            loop.post {
                outlet.stop(.failure(.remoteCancelled))
                subscription?.drop(id)
            }
        }
        open()
        if isLive { join(id) }
    }

    /// Everything ends, as the client does.
    func close() {
        transfer?.close()
        lose(.remoteClosed)
    }

    private func open() {
        if let closing { remote.loop.cancelTimer(closing) }
        closing = nil
        guard transfer == nil else { return }
        do throws(Failure) {
            let request = Request(operation.number)
            let made = StreamTransfer(
                remote,
                operation,
                try remote.builder.make(operation, request, CallOptions()),
                CallOptions(),
                until: .never,
                receive: { [weak self] in self?.take($0) },
                finish: { [weak self] in self?.lose($0) }
            )
            transfer = made
            made.begin()
        } catch { lose(error) }
    }

    private func take(_ events: [EngineEvent]) {
        let isNew = !isLive
        isLive = true
        if isNew { opening = [] }
        var rest = events[...]
        while opening.count < 2, let first = rest.first, first.envelope == nil { opening.append(rest.removeFirst()) }
        if isNew { arrive() }
        hand(out: rest)
        closeIfUnused()
    }

    /// The connection is there.
    private func arrive() {
        for id in followers.keys.sorted() { join(id) }
        let ready = waiting
        waiting = []
        for body in ready { body() }
    }

    private func join(_ id: Int) {
        guard let follower = followers[id] else { return }
        follower.outlet.offer(opening.count == 2 ? opening : Subscription.usualOpening)
        guard let runID = follower.filter.runID, let run = book[runID] else { return }
        if run.isCut {
            let failure = Failure(.limit, "the run has more events than are kept for a stream that comes late")
            return end(id, .failure(failure))
        }
        follower.outlet.offer(run.events)
        if run.endedAt != nil { end(id, .success(nil)) }
    }

    private func hand(out events: ArraySlice<EngineEvent>) {
        let now = Deadline.now
        var parts: [Int: [EngineEvent]] = [:]
        for event in events {
            let run = book.note(event, now: now)
            let event = event.belonging(to: run)
            for (id, follower) in followers where follower.filter.takes(event, of: run) {
                parts[id, default: []].append(event)
            }
            guard event.endsRun, let run else { continue }
            awaited.remove(run)
            for (id, follower) in followers where follower.filter.runID == run {
                follower.outlet.offer(parts.removeValue(forKey: id) ?? [])
                end(id, .success(nil))
            }
        }
        for (id, part) in parts { followers[id]?.outlet.offer(part) }
        for (id, follower) in followers where follower.outlet.isOver { drop(id) }
        book.expire(now: now)
    }

    private func end(_ id: Int, _ outcome: Result<Reply?, Failure>) {
        // It may still have to hand over what its consumer had no room for.
        followers[id]?.outlet.end(outcome)
        drop(id)
    }

    private func drop(_ id: Int) {
        followers[id] = nil
        closeIfUnused()
    }

    /// The connection is gone; nil: the engine ended it.
    private func lose(_ failure: Failure?) {
        transfer = nil
        isLive = false
        book = RunBook()
        awaited = []
        let lost = followers
        followers = [:]
        let ready = waiting
        waiting = []
        for (_, follower) in lost {
            follower.outlet.end(.failure(failure ?? Failure(.engineUnavailable, "the engine ended the stream")))
        }
        for body in ready { body() }
    }

    private func closeIfUnused() {
        guard followers.isEmpty, prompts == 0, awaited.isEmpty, transfer != nil, closing == nil else { return }
        closing = remote.loop.after(Deadline(afterMilliseconds: Subscription.lingerMilliseconds)) { [weak self] in
            guard let self else { return }
            closing = nil
            guard followers.isEmpty, prompts == 0, awaited.isEmpty else { return }
            transfer?.close()
            lose(nil)
        }
    }

    private static let usualOpening = [
        EngineEvent(type: EngineEventName.serverConnected, properties: .emptyObject),
        EngineEvent(
            type: EngineEventName.engineLifecycleReady,
            properties: JSONWriter.object { $0.member("status", "ready") }
        ),
    ]
}

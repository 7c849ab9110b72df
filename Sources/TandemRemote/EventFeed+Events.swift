internal import TandemContract
internal import TandemJSON

// What the connection brings, and its end.
extension EventFeed {
    mutating func take(_ frames: [StreamFrame], now: UInt64) {
        var frames = frames[...]
        let isNew = !isLive
        if isNew { openingFrames = 2 }
        isLive = true
        skipOpening(&frames)
        if isNew { begin(now: now) }
        for frame in frames {
            switch frame {
            case .event(let event): take(event, now: now)
            case .cut(let frame): cut(frame, now: now)
            }
        }
        book.expire(now: now)
        schedule(now)
    }

    /// The frames that open a shared connection come to every follower in its own time; those that open one again to none.
    private mutating func skipOpening(_ frames: inout ArraySlice<StreamFrame>) {
        guard isShared || attempts > 1 else { return }
        while openingFrames > 0, let event = frames.first?.event, EventFrame.isOfStream(event) {
            if attempts == 1 { opening.append(event) }
            openingFrames -= 1
            frames.removeFirst()
        }
        if !frames.isEmpty { openingFrames = 0 }
    }

    private mutating func begin(now: UInt64) {
        let isFirst = !wasLive
        wasLive = true
        pauses.succeeded()
        if !isFirst { reconnected(now: now) }
        for id in followers.keys.sorted() where !isOpen(id) { join(id, now: now) }
        actions.append(.letPromptsGo)
    }

    private mutating func reconnected(now: UInt64) {
        check.reconnect()
        book.lose()
        let connected = EventFeed.connected(attempts)
        changeAll { follower in
            guard follower.isOpen else { return }
            follower.say(connected)
            follower.reconnected(now: now)
        }
        mustReadRequests = true
        for session in Set(awaited.values).union(index.sessions).sorted() { ask(session) }
    }

    /// The connection is lost, or could not be opened; `wait`: what the stream asked for, in milliseconds.
    mutating func lost(_ failure: Failure, wait: Int64?, random: UInt64) {
        isLive = false
        readingSessions = []
        mutedSessions = []
        isReadingRequests = false
        // Nor is an end held back for a log that may never be read.
        changeAll { $0.stopComparing() }
        // Prompts are not held back by an engine that is away: they find out for themselves.
        actions.append(.letPromptsGo)
        if EventFeed.isFinal(failure) || !wasLive { return endAll(failure) }
        let pause = pauses.next(base: wait, random: random)
        attempts += 1
        let interrupted = EventFeed.interrupted(failure.message, pause)
        changeAll { if $0.isOpen { $0.say(interrupted) } }
        actions.append(.connect(afterMilliseconds: pause))
    }

    /// Ends all streams; those that are asked for later begin with a new connection.
    mutating func endAll(_ failure: Failure) {
        changeAll { $0.end(.failure(failure)) }
        var next = EventFeed(isShared: isShared)
        next.followers = followers
        next.index = index
        next.actions = actions
        for id in followers.keys { next.change(id) { _ in } }
        self = next
    }

    /// Whether there is no sense in trying again.
    static func isFinal(_ failure: Failure) -> Bool {
        switch failure.status {
        case 401, 403, 404: true
        default: [.closed, .cancelled, .protocol, .tls, .limit].contains(failure.name)
        }
    }

    static func connected(_ attempt: Int64) -> EngineEvent {
        EngineEvent(
            type: EventName.streamConnected,
            properties: JSONWriter.object { $0.member("attempt", attempt) }
        )
    }

    static func interrupted(_ reason: String, _ milliseconds: Int64) -> EngineEvent {
        EngineEvent(
            type: EventName.streamInterrupted,
            properties: JSONWriter.object { writer in
                writer.member("reason", reason)
                writer.member("retry_in_ms", milliseconds)
            }
        )
    }
}

// One event.
extension EventFeed {
    private mutating func take(_ event: EngineEvent, now: UInt64) {
        switch event.envelope.map({ check.note($0) }) {
        case nil, .next: break
        case .duplicate: return noteDuplicate(event)
        case .gap(let numbers, let lost): lose(numbers, lost, now: now)
        case .restarted: restarted(now: now)
        }
        let known = event.runID
        let run = book.note(event, now: now)
        // A run has one end.
        if run == nil, known != nil, event.endsRun { return }
        hand(event.belonging(to: run), of: run, now: now)
        if event.endsRun, let run { awaited[run] = nil }
    }

    private mutating func hand(_ event: EngineEvent, of run: String?, now: UInt64) {
        let round = round
        let concerned = isShared ? index.followers(of: event, in: run) : Set(followers.keys)
        for id in concerned {
            change(id) { $0.take(event, of: run, round: round, now: now) }
        }
        guard isShared, let question = RequestMemory.settledQuestion(event), event.sessionID == nil else { return }
        for (id, follower) in followers where !follower.filter.isEverything && follower.requests.isPending(question) {
            change(id) { $0.say(event) }
        }
    }

    private mutating func noteDuplicate(_ event: EngineEvent) {
        let run = event.runID ?? event.sessionID.flatMap { book.activeRun(of: $0) }
        for id in index.followers(of: event, in: run) { change(id) { $0.noteDuplicate(of: run) } }
    }

    private mutating func lose(_ numbers: ClosedRange<Int64>, _ lost: Int64, now: UInt64) {
        changeAll { $0.lose(numbers, lost: lost, now: now) }
        guard lost > 0 else { return }
        book.lose()
        // Runs that nobody follows yet may have ended unseen.
        let followed = Set(followers.values.lazy.flatMap(\.openRuns).map(\.runID))
        for session in Set(awaited.filter { !followed.contains($0.key) }.values).sorted() { ask(session) }
    }

    private mutating func restarted(now: UInt64) {
        book.lose()
        book.leave(now: now)
        changeAll { $0.engineRestarted(now: now) }
    }

    private mutating func cut(_ frame: CutFrame, now: UInt64) {
        check.cut()
        book.lose(session: frame.sessionID)
        let isCertain = followers.values.contains { $0.has(frame).contains(true) }
        changeAll { $0.cut(frame, isCertain: isCertain, now: now) }
    }
}

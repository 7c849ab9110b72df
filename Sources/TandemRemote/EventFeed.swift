internal import TandemContract
internal import TandemJSON

/// What becomes of one connection's events on their way to those who follow them: a value.
///
/// Frames, answers, losses and time go in; events for followers, and what to ask the engine, come out. It finds what is
/// missing, and has it read again.
struct EventFeed {
    enum Action: Equatable {
        /// Open the connection again after so long.
        case connect(afterMilliseconds: Int64)
        case readLog(run: String, after: Int64)
        case readActiveRun(session: String)
        /// Read the lists of permissions and questions; the answers come back with this number.
        case readRequests(round: Int64)
        /// Prompts need wait for the events no longer.
        case letPromptsGo
    }

    /// False: the engine filters the stream, so gaps in its numbers are normal.
    let isShared: Bool
    var followers: [Int: Follower] = [:]
    var actions: [Action] = []
    /// Followers that got something since they were last offered it.
    private var touched: Set<Int> = []
    var index = FollowerIndex()

    var isLive = false
    var wasLive = false
    var attempts: Int64 = 1
    var pauses = ReconnectPauses()
    var check: SequenceCheck
    /// False once the server's numbers have been found to mean nothing.
    var trustsNumbers = true
    var opening: [EngineEvent] = []
    /// Frames that may still be those which open a connection.
    var openingFrames = 0

    var book = RunBook()
    /// Runs that this client began, until they end, with their sessions.
    var awaited: [String: String] = [:]
    var readingSessions: Set<String> = []
    /// Sessions of which the engine does not say which run is active; not asked again over this connection.
    var mutedSessions: Set<String> = []
    private var readingLogs: Set<Reading> = []
    /// When each follower's logs have to be read.
    private var dues: [Int: UInt64] = [:]
    var round: Int64 = 0
    var isReadingRequests = false
    var mustReadRequests = false

    private struct Reading: Hashable {
        let run: String
        let after: Int64
    }

    /// What may wait for all consumers together.
    static let totalLimit = 64 * 1024 * 1024

    init(isShared: Bool = true) {
        self.isShared = isShared
        check = SequenceCheck(findsGaps: isShared)
    }

    var isUsed: Bool { !followers.isEmpty || !awaited.isEmpty }

    /// When `tick` has something to do.
    var due: UInt64? { dues.values.min() }

    mutating func takeActions() -> [Action] {
        defer { actions = [] }
        return actions
    }

    mutating func takeTouched() -> [Int] {
        defer { touched = [] }
        return touched.sorted()
    }
}

// Followers come and go.
extension EventFeed {
    mutating func follow(_ id: Int, _ filter: StreamFilter, now: UInt64) {
        followers[id] = Follower(filter, seesGaps: isShared, trustsNumbers: trustsNumbers)
        index.insert(id, filter)
        if isLive { join(id, now: now) }
        schedule(now)
    }

    mutating func unfollow(_ id: Int) {
        guard let follower = followers.removeValue(forKey: id) else { return }
        index.remove(id, follower.filter)
        touched.remove(id)
        dues[id] = nil
    }

    /// A prompt was answered with that run; `isNew`: which did not exist before.
    mutating func await(_ run: String, session: String, isNew: Bool) {
        guard wasLive, book[run]?.endedAt == nil else { return }
        awaited[run] = session
        if isNew, isLive { book.expect(run, session: session) }
    }

    /// What the follower's consumer is to be offered now.
    func offer(to id: Int) -> ArraySlice<EngineEvent>? {
        guard let follower = followers[id], follower.isReady else { return nil }
        return follower.pending[...]
    }

    /// Set when all has been taken and nothing follows.
    func outcome(of id: Int) -> Result<Reply?, Failure>? {
        guard let follower = followers[id], follower.pending.isEmpty else { return nil }
        return follower.outcome
    }

    /// The consumer took so many of the follower's pending events.
    mutating func took(_ count: Int, by id: Int, now: UInt64) {
        guard var follower = followers.removeValue(forKey: id) else { return }
        follower.took(count)
        followers[id] = follower
        schedule(id, follower.isBehind ? pendingSize : 0, now)
    }

    mutating func resume(_ id: Int, now: UInt64) {
        change(id) { $0.resume() }
        schedule(now)
    }

    /// What waits for all consumers, in bytes.
    var pendingSize: Int { followers.values.reduce(0) { $0 + $1.pendingSize } }

    func isOpen(_ id: Int) -> Bool { followers[id]?.isOpen ?? true }

    mutating func join(_ id: Int, now: UInt64) {
        let opening = isShared ? opening.count == 2 ? opening : EventFeed.usualOpening : []
        let round = round
        let run = followers[id]?.filter.runID
        let kept = run.flatMap { book[$0] }
        let session = followers[id]?.filter.sessionID
        let active = run == nil ? book.activeRuns(of: session) : []
        change(id) { follower in
            follower.open(with: opening)
            follower.join(active)
            if let run { follower.begin(run, with: kept, round: round, now: now) }
        }
        mustReadRequests = true
    }

    /// In place: what a follower keeps is not copied.
    mutating func change(_ id: Int, _ body: (inout Follower) -> Void) {
        guard var follower = followers.removeValue(forKey: id) else { return }
        body(&follower)
        touched.insert(id)
        followers[id] = follower
    }

    mutating func changeAll(_ body: (inout Follower) -> Void) {
        for id in Array(followers.keys) { change(id, body) }
    }

    /// The frames that every stream begins with.
    private static let usualOpening = [
        EngineEvent(type: EngineEventName.serverConnected, properties: .emptyObject),
        EngineEvent(
            type: EngineEventName.engineLifecycleReady,
            properties: JSONWriter.object { $0.member("status", "ready") }
        ),
    ]
}

// What is asked, and when.
extension EventFeed {
    /// Time has passed.
    mutating func tick(now: UInt64) {
        for id in dues.filter({ $0.value <= now }).keys.sorted() { schedule(id, 0, now) }
    }

    /// After an input: asks for what those whom it touched need.
    mutating func schedule(_ now: UInt64) {
        // Summed over all followers, so only where one of these may have to be dropped for it.
        let total = touched.contains { followers[$0]?.isBehind ?? false } ? pendingSize : 0
        for id in touched.sorted() { schedule(id, total, now) }
        guard mustReadRequests, !isReadingRequests, isLive, !followers.isEmpty else { return }
        mustReadRequests = false
        isReadingRequests = true
        round += 1
        actions.append(.readRequests(round: round))
    }

    private mutating func schedule(_ id: Int, _ total: Int, _ now: UInt64) {
        guard var follower = followers.removeValue(forKey: id) else { return }
        if follower.isBehind, follower.isTooFarBehind || follower.pending.count > 1 && total > EventFeed.totalLimit {
            follower.fallBehind(now: now)
        }
        // An engine that is away is not asked.
        let readings = isLive ? follower.readings(now: now) : []
        for (run, after) in readings {
            if readingLogs.insert(Reading(run: run, after: after)).inserted {
                actions.append(.readLog(run: run, after: after))
            }
        }
        dues[id] = isLive ? follower.nextReading : nil
        let unclear = follower.unclearSessions
        followers[id] = follower
        for session in unclear.sorted() { ask(session) }
    }

    mutating func ask(_ session: String) {
        if isLive, !mutedSessions.contains(session), readingSessions.insert(session).inserted {
            actions.append(.readActiveRun(session: session))
        }
    }

    mutating func finishedReading(_ run: String, _ after: Int64) {
        readingLogs.remove(Reading(run: run, after: after))
    }
}

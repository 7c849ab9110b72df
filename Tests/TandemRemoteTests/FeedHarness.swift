import TandemContract
import TandemJSON
import TandemSystem

@testable import TandemRemote

/// An event feed beside a simulated engine, in virtual time: what a subscription does around its feed, without I/O.
struct FeedHarness {
    /// One consumer: takes what it is offered, or part of it.
    struct Consumer {
        var events: [EngineEvent] = []
        var outcome: Result<Reply?, Failure>?
        /// How many events it has room for; nil: any number.
        var room: Int?
        var mostPending = 0
    }

    private struct Job {
        let at: UInt64
        let number: Int
        let body: (inout FeedHarness) -> Void
    }

    var feed: EventFeed
    var engine = SimulatedEngine()
    var consumers: [Int: Consumer] = [:]
    private(set) var now: UInt64 = 1_000_000_000
    private(set) var requests: [EventFeed.Action] = []
    let random: Random
    private var jobs: [Job] = []
    private var jobsMade = 0
    private var reader = StreamReader(.serverSentEvents, limit: 1 << 24)
    private var connection = 0
    private var isConnected = false
    /// The next event on the connection's way, by position.
    private var position = 0
    private var ticking: UInt64?

    /// How many events the engine hands a reader each millisecond at most.
    var readingSpeed = 100
    /// Answers the next connections with these refusals.
    var refusals: [Failure] = []
    /// How many of the next answers of the log are failures.
    var failingReads = 0
    /// Frames are sent twice with this chance in a thousand.
    var doubling: UInt64 = 0
    /// Only this session's events are sent.
    var filter: String?
    /// Bytes after which the connection breaks; a stalled one brings nothing and breaks later.
    var breakAfterBytes: Int?
    var isStalled = false

    init(seed: UInt64, isShared: Bool = true) {
        random = Random(seed: seed)
        feed = EventFeed(isShared: isShared)
    }

    static func milliseconds(_ count: UInt64) -> UInt64 { count * 1_000_000 }

    mutating func after(_ milliseconds: UInt64, _ body: @escaping (inout FeedHarness) -> Void) {
        jobsMade += 1
        jobs.append(Job(at: now + Self.milliseconds(milliseconds), number: jobsMade, body: body))
    }

    mutating func follow(_ id: Int, _ filter: StreamFilter) {
        consumers[id] = Consumer()
        feed.follow(id, filter, now: now)
        settle()
    }

    /// Runs everything that is due until that time, or until `done`.
    mutating func run(for milliseconds: UInt64, until done: (FeedHarness) -> Bool = { _ in false }) {
        let end = now + Self.milliseconds(milliseconds)
        while !done(self) {
            let next = jobs.indices.min { (jobs[$0].at, jobs[$0].number) < (jobs[$1].at, jobs[$1].number) }
            guard let next, jobs[next].at <= end else {
                now = end
                return
            }
            let job = jobs.remove(at: next)
            now = max(now, job.at)
            job.body(&self)
        }
    }

    mutating func resume(_ id: Int, room: Int?) {
        consumers[id]?.room = room
        feed.resume(id, now: now)
        settle()
    }
}

// The connection.
extension FeedHarness {
    mutating func connect() {
        if let refusal = refusals.first {
            refusals.removeFirst()
            return lose(refusal)
        }
        connection += 1
        let number = connection
        reader = StreamReader(.serverSentEvents, limit: 1 << 24)
        isConnected = true
        isStalled = false
        position = engine.published.count
        receive(Array("data: {\"type\":\"server.connected\",\"properties\":{}}\n\n".utf8))
        receive(
            Array("data: {\"type\":\"engine.lifecycle.ready\",\"properties\":{\"status\":\"ready\"}}\n\n".utf8)
        )
        after(1) { $0.pull(number) }
    }

    /// What has been published goes over the wire, as far as the reader is quick enough.
    private mutating func pull(_ number: Int) {
        guard isConnected, number == connection else { return }
        // The bus keeps the newest events only.
        position = max(min(position, engine.published.count), engine.published.count - SimulatedEngine.broadcast)
        let isIdle = isStalled || position == engine.published.count
        if !isIdle {
            var bytes: [UInt8] = []
            let end = min(engine.published.count, position + readingSpeed)
            for entry in engine.published[position..<end] {
                if let filter, entry.event.envelope?.sessionID != filter { continue }
                bytes += SimulatedEngine.frame(entry.event)
                if random.next() % 1_000 < doubling { bytes += SimulatedEngine.frame(entry.event) }
            }
            position = end
            receive(bytes)
        }
        if number == connection { after(isIdle ? 10 : 1) { $0.pull(number) } }
    }

    private mutating func receive(_ bytes: [UInt8]) {
        var bytes = bytes
        var isBroken = false
        if let left = breakAfterBytes {
            isBroken = bytes.count >= left
            bytes = Array(bytes.prefix(left))
            breakAfterBytes = isBroken ? nil : left - bytes.count
        }
        // Bytes come split anywhere.
        while !bytes.isEmpty {
            let count = min(bytes.count, Int(random.next() % 8_000) + 1)
            var frames: [StreamFrame] = []
            do { try reader.read(Array(bytes.prefix(count)), into: &frames) } catch { return lose(error) }
            bytes.removeFirst(count)
            if !frames.isEmpty { feed.take(frames, now: now) }
            settle()
        }
        if isBroken { disconnect("the connection broke") }
    }

    mutating func disconnect(_ reason: String) {
        guard isConnected else { return }
        isConnected = false
        lose(Failure(.engineUnavailable, reason))
    }

    private mutating func lose(_ failure: Failure) {
        isConnected = false
        feed.lost(failure, wait: nil, random: random.next())
        settle()
    }

    mutating func restartEngine() {
        engine.restart(now: now)
        disconnect("the engine restarted")
    }
}

// What the feed decides.
extension FeedHarness {
    private mutating func settle() {
        while true {
            let actions = feed.takeActions()
            for action in actions { act(action) }
            let touched = feed.takeTouched()
            for id in touched { offer(id) }
            if actions.isEmpty, touched.isEmpty { break }
        }
        guard let due = feed.due, ticking.map({ due < $0 || $0 <= now }) ?? true else { return }
        ticking = due
        jobsMade += 1
        jobs.append(
            Job(at: due, number: jobsMade) { harness in
                if harness.ticking == due { harness.ticking = nil }
                harness.feed.tick(now: harness.now)
                harness.settle()
            }
        )
    }

    private mutating func offer(_ id: Int) {
        guard var consumer = consumers[id], consumer.outcome == nil else { return }
        if let pending = feed.offer(to: id) {
            let count = min(pending.count, consumer.room ?? pending.count)
            consumer.events += pending.prefix(count)
            consumer.room = consumer.room.map { $0 - count }
            feed.took(count, by: id, now: now)
        }
        consumer.mostPending = max(consumer.mostPending, feed.followers[id]?.pendingSize ?? 0)
        if let outcome = feed.outcome(of: id) {
            consumer.outcome = outcome
            feed.unfollow(id)
        }
        consumers[id] = consumer
    }

    private mutating func act(_ action: EventFeed.Action) {
        requests.append(action)
        let latency = 1 + random.next() % 40
        switch action {
        case .connect(let milliseconds): after(UInt64(milliseconds)) { $0.connect() }
        case .letPromptsGo: break
        case .readLog(let run, let after):
            self.after(latency) { harness in
                let page =
                    harness.isAnswering
                    ? LogPage(harness.engine.log(run, after: after, now: harness.now), of: run, after: after) : nil
                let failure = page == nil ? Failure(.engineUnavailable, "not now") : nil
                harness.feed.took(page, of: run, after: after, failure, now: harness.now)
                harness.settle()
            }
        case .readActiveRun(let session):
            after(latency) { harness in
                harness.feed.tookActiveRun(harness.engine.activeRun(session), of: session, now: harness.now)
                harness.settle()
            }
        case .readRequests(let round):
            after(latency) { harness in
                let list = RequestList(
                    permissions: harness.engine.permissionList,
                    now: Int64(harness.now / 1_000_000)
                )
                harness.feed.tookRequests([list, nil], round: round, now: harness.now)
                harness.settle()
            }
        }
    }

    private var isAnswering: Bool {
        mutating get {
            defer { failingReads = max(failingReads - 1, 0) }
            return failingReads == 0
        }
    }
}

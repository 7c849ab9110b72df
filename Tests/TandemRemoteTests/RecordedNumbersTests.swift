import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemRemote

/// Runs at once on a server that answers from a recording: its numbers and event ids begin anew with each prompt, its logs
/// are of other runs or none, and so are the runs that it says are active.
@Suite struct RecordedNumbersTests {
    /// A stream of everything whose consumer takes nothing, and so many events with numbers that come again for other runs.
    private func refused(_ count: Int, textBytes: Int) -> EventFeed {
        var feed = EventFeed()
        let properties = JSONWriter.object { $0.member("delta", String(repeating: "x", count: textBytes)) }
        feed.follow(1, StreamFilter(), now: 0)
        feed.take([.event(EngineEvent(type: "server.connected", properties: .emptyObject))], now: 0)
        feed.took(0, by: 1, now: 0)
        for number in 0..<count {
            let event = EngineEvent(
                type: "message.part.updated",
                properties: properties,
                envelope: .init(
                    eventID: "event-\(number / 2)",
                    seq: Int64(number / 2),
                    occurredAtMilliseconds: 0,
                    sessionID: "s",
                    runID: "run-\(number % 2)"
                )
            )
            feed.take([.event(event)], now: 0)
        }
        return feed
    }

    @Test func aSlowConsumerLosesNothingThatNoLogGivesAgain() {
        let feed = refused(5_000, textBytes: 1)
        #expect(feed.offer(to: 1) == nil)
        #expect(feed.followers[1]?.pending.count { $0.envelope != nil } == 5_000)
    }

    @Test func oneThatIsMuchTooSlowIsToldSo() throws {
        let feed = refused(80, textBytes: 1024 * 1024)
        let outcome = try #require(feed.outcome(of: 1))
        #expect(throws: Failure.self) { try outcome.get() }
        guard case .failure(let failure) = outcome else { return }
        #expect(failure.name == .limit)
    }

    @Test func whatComesLiveIsHandedOnWholeAndEndsOnce() {
        for seed in 1...300 {
            var server = RecordedServer(seed: UInt64(seed))
            for complaint in server.play() { Issue.record("seed \(seed): \(complaint)") }
        }
    }
}

struct RecordedServer {
    private enum Answer { case log(run: String, after: Int64), status(session: String), requests(round: Int64) }

    private struct Playing {
        let run: String
        let session: String
        var isAnnounced = false
        var next = 0
    }

    /// The numbers of one recorded run; those of the other events name no run.
    private static let numbers: [Int64] = [3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 24]
    private static let named: Set<Int64> = [3, 6, 8, 13, 14, 15, 18, 21, 23, 24]
    private static let end: Int64 = 21

    private let random: Random
    private var feed = EventFeed()
    private var now: UInt64 = 1_000_000_000
    private var playing: [Playing] = []
    private var answers: [Answer] = []
    private var seen: [Int: [EngineEvent]] = [:]
    private var outcomes: [Int: Result<Reply?, Failure>] = [:]
    private var sent: [EngineEvent] = []
    /// What each stream follows, and how many events had been sent when it began.
    private var streams: [Int: (filter: StreamFilter, since: Int)] = [:]
    private let kindOfLog: Int
    private let losesConnections: Bool
    private var isAway = false

    init(seed: UInt64) {
        random = Random(seed: seed)
        kindOfLog = Int(random.next() % 4)
        losesConnections = seed % 3 == 0
        let sessions = 1 + Int(random.next() % 4)
        playing = (0..<(2 + Int(random.next() % 6))).map { Playing(run: "run-\($0)", session: "s-\($0 % sessions)") }
    }

    private func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    mutating func play() -> [String] {
        connect()
        follow(100, StreamFilter())
        follow(101, StreamFilter(sessionID: "s-0"))
        if chance(50) {
            for index in playing.indices {
                announce(index)
                if chance(50) { followRun(index) }
            }
        }
        while playing.contains(where: { $0.next < Self.numbers.count }) || isAway { step() }
        for index in playing.indices { followRun(index) }
        for _ in 0..<200 {
            now += 500_000_000
            feed.tick(now: now)
            answerAll()
        }
        return check()
    }

    private mutating func step() {
        now += 1_000_000
        if isAway { return chance(30) ? connect() : () }
        if losesConnections, chance(2) { return disconnect() }
        if chance(30) { answerOne() }
        feed.tick(now: now)
        let index = Int(random.next() % UInt64(playing.count))
        guard playing[index].next < Self.numbers.count else { return }
        announce(index)
        if chance(10) { followRun(index) }
        for _ in 0...(random.next() % 3) where playing[index].next < Self.numbers.count { publish(index) }
        settle()
    }

    private mutating func announce(_ index: Int) {
        if playing[index].isAnnounced { return }
        playing[index].isAnnounced = true
        feed.await(playing[index].run, session: playing[index].session, isNew: true)
    }

    private mutating func publish(_ index: Int) {
        let playing = playing[index]
        let seq = Self.numbers[playing.next]
        let event = EngineEvent(
            type: seq == 3 ? "session.run.started" : seq == Self.end ? "session.run.finished" : "message.part.updated",
            properties: .emptyObject,
            envelope: .init(
                eventID: "event-\(seq)",
                seq: seq,
                occurredAtMilliseconds: 0,
                sessionID: playing.session,
                runID: Self.named.contains(seq) ? playing.run : nil
            )
        )
        self.playing[index].next += 1
        sent.append(event)
        feed.take([.event(event)], now: now)
    }

    private mutating func followRun(_ index: Int) {
        guard playing[index].isAnnounced, streams[index] == nil else { return }
        follow(index, StreamFilter(sessionID: playing[index].session, runID: playing[index].run))
    }

    private mutating func follow(_ id: Int, _ filter: StreamFilter) {
        streams[id] = (filter, sent.count)
        feed.follow(id, filter, now: now)
        settle()
    }
}

// The connection, and what is asked.
extension RecordedServer {
    private mutating func connect() {
        isAway = false
        feed.take(
            ["server.connected", "engine.lifecycle.ready"].map {
                .event(EngineEvent(type: $0, properties: .emptyObject))
            },
            now: now
        )
        settle()
    }

    private mutating func disconnect() {
        isAway = true
        feed.lost(Failure(.engineUnavailable, "gone"), wait: nil, random: random.next())
        settle()
    }

    private mutating func settle() {
        while true {
            let actions = feed.takeActions()
            for action in actions {
                switch action {
                case .readLog(let run, let after): answers.append(.log(run: run, after: after))
                case .readActiveRun(let session): answers.append(.status(session: session))
                case .readRequests(let round): answers.append(.requests(round: round))
                case .connect, .letPromptsGo: break
                }
            }
            let touched = feed.takeTouched()
            for id in touched { offer(id) }
            if actions.isEmpty, touched.isEmpty { break }
        }
    }

    private mutating func offer(_ id: Int) {
        if let pending = feed.offer(to: id) {
            seen[id, default: []] += pending.filter { $0.envelope != nil }
            feed.took(pending.count, by: id, now: now)
        }
        guard let outcome = feed.outcome(of: id) else { return }
        outcomes[id] = outcome
        feed.unfollow(id)
    }

    private mutating func answerAll() {
        while !answers.isEmpty { answerOne() }
        settle()
    }

    private mutating func answerOne() {
        guard !answers.isEmpty else { return }
        switch answers.remove(at: Int(random.next() % UInt64(answers.count))) {
        case .log(let run, let after):
            feed.took(LogPage(log(run, after), of: run, after: after), of: run, after: after, nil, now: now)
        case .status(let session):
            let other = JSONWriter.object { writer in
                writer.member("active", object: { $0.member("runID", "of another recording") })
            }
            feed.tookActiveRun(chance(50) ? other : try? JSONText(checking: #"{"active":null}"#), of: session, now: now)
        case .requests(let round): feed.tookRequests([nil, nil], round: round, now: now)
        }
        settle()
    }

    /// What it says is the run's log: no log, that of another run, and rows that say they are this run's and are not.
    private func log(_ run: String, _ after: Int64) -> JSONText? {
        let body: String
        switch kindOfLog {
        case 0: body = #"{"count":1,"first_seq":4,"last_seq":4}"#
        case 1: body = #"{"run_id":"other","events":[]}"#
        case 2:
            body = #"{"events":[{"event_id":"x","seq":\#(after + 1),"event_type":"t","payload":{},"run_id":"other"}]}"#
        default:
            body = #"""
                {"events":[{"event_id":"event-3","seq":3,"event_type":"session.run.started","payload":{},"run_id":"\#(run)"}]}
                """#
        }
        return try? JSONText(checking: body)
    }

    private func check() -> [String] {
        var complaints: [String] = []
        for (id, stream) in streams.sorted(by: { $0.key < $1.key }) {
            let seen = seen[id] ?? []
            let said = "stream \(id), \(stream.filter)"
            if let run = stream.filter.runID {
                var wanted = sent.filter { $0.runID == run && $0.seq ?? 0 <= Self.end }
                let got = seen.filter { $0.seq.map(Self.named.contains) ?? false }
                if losesConnections { wanted = Array(wanted.suffix(got.count)) }
                if got.map(\.seq) != wanted.map(\.seq) { complaints.append("\(said): \(got.map(\.seq))") }
                guard case .success? = outcomes[id] else {
                    complaints.append("\(said): \(String(describing: outcomes[id]))")
                    continue
                }
            } else {
                let session = stream.filter.sessionID
                let wanted = sent[stream.since...].filter { session == nil || $0.sessionID == session }
                let ends = Dictionary(grouping: seen.filter(\.endsRun), by: \.runID)
                if ends.values.contains(where: { $0.count > 1 }) { complaints.append("\(said): two ends") }
                if seen.count != wanted.count { complaints.append("\(said): \(seen.count) of \(wanted.count)") }
            }
        }
        return complaints
    }
}

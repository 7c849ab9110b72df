internal import TandemContract
internal import TandemJSON

/// One run on its way to one follower: what comes live, put in order with what has to be read from the run's log.
///
/// A value: events, rows, failures and time in, events out. While something may be missing, what comes live is held until
/// the log has reached it. The log is written in order and late, so it is read again and again while it grows.
struct RunLane {
    enum Phase: Equatable { case live, healing, comparing, over }

    let runID: String
    private(set) var sessionID: String?
    var phase: Phase
    /// The number of the newest event that was given.
    private(set) var delivered: Int64
    /// The number up to which the log has given all: what comes live with a lower one has been given.
    private var readUpTo: Int64 = .min
    /// What kept the lane from being followed to its end.
    private(set) var failure: Failure?
    /// In bytes.
    private(set) var heldSize = 0
    private var held: [EngineEvent] = []
    /// The numbers of held events before which something else is missing.
    private var breaks: Set<Int64> = []
    /// Something is missing before the next event that comes.
    private var isBroken = false
    /// Events that were given ahead of others, by id.
    private var overtaken: Set<String> = []
    var counts = ResyncCounts()
    /// Whether what is read is told as healed: a stream that begins late has lost nothing.
    private var hasLost: Bool
    /// An event of it came, or an answer of the engine named it.
    private var isKnown: Bool
    /// Cut frames whose rows have not been met.
    private var cuts = 0
    private var cutDeltas: Set<Int64> = []
    /// The first of them, should no log give them whole.
    private var cutEvents: [EngineEvent] = []
    private var messageIDs: [String] = []
    /// The number after which the log is being read.
    var readingAfter: Int64?
    private var isLastReading = false
    /// When the log is read next; nil: not, or it is being read.
    private var readAt: UInt64?
    private var pause = firstPause
    private var changedAt: UInt64 = 0
    /// Whether the engine says that the run goes on; nil: it has not been asked.
    private var isActive: Bool?
    private var isEngineAnother = false
    /// False where the server's numbers mean nothing: what comes is handed on as it comes, and no log is believed.
    private var trustsNumbers = true
    /// The server's last answer was no log of this run, so nothing is held for one.
    private var hasNoLog = false
    /// The log has given something of this run.
    private var isLogProven = false
    /// Events that the log gave last, by id: where numbers mean nothing, nothing else tells that they come again.
    private var fromLog: [String] = []
    /// The connection was lost since the lane was whole.
    private var wasAway = false
    /// False on a filtered stream: there a run that falls silent, or completes without a final text, has its log asked,
    /// and each that ends is compared with its log.
    var seesGaps = true
    var comparison = RunComparison()
    private var probeAt: UInt64?
    private var isProbing = false
    private var hasAskedForText = false
    /// Events given since the last piece of text, and the number of that.
    private var sinceText: Set<String> = []
    private var lastText: Int64 = 0
    private var hasFinalText = false

    private static let firstPause: UInt64 = 100_000_000
    private static let longestPause: UInt64 = 1_000_000_000
    /// A log that has not grown for so long has all that it will have: engines write it seconds behind.
    static let patience: UInt64 = 30_000_000_000
    /// The row of an event that came live will come, unless the log is broken.
    static let heldPatience: UInt64 = 60_000_000_000
    /// What is held while the log is read; past it the log has to give that too.
    static let heldLimit = 64 * 1024
    /// The same until the log has given anything: a server may have none.
    static let unprovenLimit = 1024 * 1024
    private static let cutDeltaLimit = 16
    /// After so long without an event a filtered stream may have lost its run's end.
    static let silence: UInt64 = 10_000_000_000
    private static let rememberedEvents = 256
    /// Frames that long are cut by the engine, at 16,000 bytes with all that is around an event's properties.
    private static let longFrame = 15_000

    /// A run that is followed from its first event on.
    init(_ runID: String, sessionID: String?, delivered: Int64 = 0) {
        self.runID = runID
        self.sessionID = sessionID
        self.delivered = delivered
        phase = .live
        hasLost = true
        isKnown = delivered > 0
    }

    /// A run whose beginning has to be read.
    init(reading runID: String, sessionID: String?, after delivered: Int64 = 0, hasLost: Bool, now: UInt64) {
        self.runID = runID
        self.sessionID = sessionID
        self.delivered = delivered
        self.hasLost = hasLost
        isKnown = delivered > 0
        phase = .healing
        changedAt = now
        readAt = now
    }

    /// Set when the log gave the end before the stream: the number of it.
    var endInLog: Int64? { phase == .over && readUpTo == delivered ? delivered : nil }

    /// When the log has to be read.
    var nextReading: UInt64? {
        switch phase {
        case .live: probeAt
        case .healing, .comparing: readingAfter == nil ? readAt : nil
        case .over: nil
        }
    }
    var needsStatus: Bool { phase == .healing && isActive == nil }

    /// Whether a cut frame is of this run; nil: it may be.
    func has(_ frame: CutFrame) -> Bool? {
        if phase == .over || phase == .comparing { return false }
        if let id = frame.runID { return id == runID }
        if let id = frame.sessionID, let sessionID { return id == sessionID }
        if let id = frame.messageID, messageIDs.contains(id) { return true }
        return nil
    }
}

// What comes over the stream.
extension RunLane {
    /// Gives what may be handed on at once; `keeps` is false when the consumer is behind and the log will do.
    mutating func take(_ event: EngineEvent, now: UInt64, keeps: Bool) -> [EngineEvent] {
        guard phase != .over, phase != .comparing else { return [] }
        if isEngineAnother { return takeOfAnother(event, now) }
        learn(event)
        if EventFrame.isCutDelta(event) {
            if handsOn { return handOn(event, now) }
            noteCutDelta(event)
            lose(now: now)
            return []
        }
        if !trustsNumbers { return handOn(event, now) }
        if let seq = event.seq, seq <= readUpTo {
            // The log was quicker than the stream, which is met where it stands.
            guard phase == .healing, held.isEmpty else { return [] }
            isBroken = false
            return release(now)
        }
        guard phase == .healing else { return give(event, now) }
        if hasNoLog { return handOn(event, now) }
        if RequestMemory.isUrgent(event), !event.endsRun {
            if let id = event.envelope?.eventID { overtaken.insert(id) }
            if !seesGaps { comparison.note(event, isLive: true) }
            return [event]
        }
        // What has no number cannot be brought in line with the log.
        guard let seq = event.seq else { return release(now) + give(event, now) }
        hold(event, seq, keeps: keeps, now: now)
        return []
    }

    private var handsOn: Bool { !trustsNumbers || hasNoLog }

    private mutating func handOn(_ event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        changedAt = now
        if !fromLog.isEmpty, let id = event.envelope?.eventID, fromLog.contains(id) { return [] }
        return give(event, now)
    }

    private mutating func noteCutDelta(_ event: EngineEvent) {
        if let seq = event.envelope?.seq { cutDeltas.insert(seq) }
        if cutEvents.count < RunLane.cutDeltaLimit { cutEvents.append(event) }
    }

    /// Another process knows nothing of the run; one that says it does has numbers that mean nothing.
    private mutating func takeOfAnother(_ event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        guard isActive == true || EventFrame.isOfRunItself(event) else { return [] }
        isEngineAnother = false
        readUpTo = .min
        breaks = []
        isBroken = false
        return (phase == .healing ? release(now) : []) + give(event, now)
    }

    private mutating func hold(_ event: EngineEvent, _ seq: Int64, keeps: Bool, now: UInt64) {
        let size = EventFrame.size(event)
        let limit = isLogProven ? RunLane.heldLimit : RunLane.unprovenLimit
        if !keeps || heldSize + size > limit { drop(now: now) }
        // The end is kept whatever happens: a log that has it may never be read.
        guard keeps && size <= limit || event.endsRun else { return }
        if isBroken { breaks.insert(seq) }
        isBroken = false
        held.append(event)
        heldSize += size
    }

    /// Something of the run may be missing from here on.
    mutating func lose(now: UInt64) {
        switch phase {
        case .over, .comparing: return
        case .healing:
            isBroken = true
            // Of a run that is over nothing more will come, however often the connection is lost.
            if isActive != false { changedAt = now }
        case .live:
            phase = .healing
            isActive = nil
            changedAt = now
            readAt = now
            pause = RunLane.firstPause
        }
    }

    /// A frame was cut that may be the run's.
    mutating func cut(now: UInt64) {
        if !trustsNumbers {
            // No log gives it again.
            if phase != .over { counts.truncated += 1 }
            return
        }
        cuts += 1
        lose(now: now)
    }

    /// Somebody was told that the run has begun, or saw it.
    mutating func noteExists() { isKnown = true }

    mutating func noteDuplicate() { if phase != .over { counts.duplicates += 1 } }

    /// The connection was lost and is there again, so the engine has to be asked whether the run goes on.
    mutating func reconnected(now: UInt64) {
        lose(now: now)
        wasAway = true
        // A run that is over stays so.
        if isActive != false { isActive = nil }
    }

    /// Other numbers: the process that published before is gone.
    mutating func engineRestarted(now: UInt64) {
        lose(now: now)
        isEngineAnother = true
        readSoon(now)
    }

    /// Everything from that number on has to come again, and what of it was ahead of others.
    mutating func rewind(before seq: Int64, _ events: Set<String>, now: UInt64) {
        phase = .healing
        if let end = comparison.rewind(to: seq) { held = [end] }
        overtaken.subtract(events)
        delivered = min(delivered, seq &- 1)
        if lastText > delivered {
            lastText = delivered
            sinceText = []
        }
        readUpTo = min(readUpTo, delivered)
        drop(now: now)
        readingAfter = nil
        readAt = now
        pause = RunLane.firstPause
    }

    private mutating func give(_ event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        if !seesGaps, !handsOn {
            probeAt = now &+ RunLane.silence
            if missesText(at: event) { return ask(for: event, now) }
            noteText(event)
            comparison.note(event, isLive: true)
        }
        if let seq = event.envelope?.seq { delivered = max(delivered, seq) }
        guard event.endsRun else { return [event] }
        return seesGaps || handsOn ? close(with: event) : compare(event, now)
    }

    mutating func close(with end: EngineEvent) -> [EngineEvent] {
        phase = .over
        return told() + [end]
    }

    /// The end waits until the log has given what came since the last piece of text.
    private mutating func ask(for event: EngineEvent, _ now: UInt64) -> [EngineEvent] {
        lose(now: now)
        rewindToText(now)
        held = [event]
        return []
    }

    /// Has the log give again what came since the last piece of text, but for what has been given.
    private mutating func rewindToText(_ now: UInt64) {
        hasAskedForText = true
        overtaken.formUnion(sinceText)
        delivered = min(delivered, lastText)
        readUpTo = min(readUpTo, delivered)
        readingAfter = nil
        readAt = now
    }

    private func missesText(at event: EngineEvent) -> Bool {
        event.endsRun && event.properties["status"]?.string == "completed" && !hasFinalText && !hasAskedForText
            && sinceText.count < RunLane.rememberedEvents
    }

    private mutating func noteText(_ event: EngineEvent) {
        guard let envelope = event.envelope else { return }
        if EventFrame.isFinalText(event) {
            hasFinalText = true
        } else if event.properties["delta"] != nil {
            hasFinalText = false
            lastText = envelope.seq
            sinceText = []
        } else if sinceText.count < RunLane.rememberedEvents {
            sinceText.insert(envelope.eventID)
        }
    }

    private mutating func learn(_ event: EngineEvent) {
        isKnown = true
        sessionID = sessionID ?? event.sessionID
        guard let id = event.properties["messageID"]?.string ?? event.properties.at("part", "messageID")?.string,
            !messageIDs.contains(id)
        else { return }
        messageIDs = messageIDs.suffix(3) + [id]
    }

    private mutating func drop(now: UInt64) {
        held = held.filter(\.endsRun)
        heldSize = held.reduce(0) { $0 + EventFrame.size($1) }
        breaks = []
        isBroken = true
        changedAt = now
    }

    /// The counts so far as an event, where there is something to tell.
    private mutating func told() -> [EngineEvent] {
        if counts.isEmpty { return [] }
        defer { counts = ResyncCounts() }
        return [counts.event(session: sessionID, run: runID)]
    }
}

// What the engine answers.
extension RunLane {
    /// The log is about to be read: gives the number after which.
    mutating func beginReading(now: UInt64) -> Int64 {
        if phase == .live {
            lose(now: now)
            isProbing = true
        }
        let after = phase == .comparing ? comparison.place : delivered
        readingAfter = after
        isLastReading = isEngineAnother && isActive == false
        readAt = nil
        return after
    }

    mutating func take(_ page: LogPage, now: UInt64) -> [EngineEvent] {
        if !trustsNumbers || contradicts(page) {
            return readingFailed(RunLane.noLog, isLasting: true, now: now)
        }
        readingAfter = nil
        if phase == .comparing { return take(comparing: page, now: now) }
        guard phase == .healing else { return [] }
        hasNoLog = false
        let reached = held.lazy.compactMap { $0.envelope?.seq }.first
        var given: [EngineEvent] = []
        var hasGrown = false
        for row in page.events {
            guard let seq = row.envelope?.seq, seq > delivered else { continue }
            if let reached, seq >= reached { return given + release(now) }
            delivered = seq
            readUpTo = max(readUpTo, seq)
            hasGrown = true
            isLogProven = true
            learn(row)
            if !seesGaps {
                noteText(row)
                comparison.note(row, isLive: false)
            }
            if let id = row.envelope?.eventID, overtaken.remove(id) != nil { continue }
            count(row)
            noteRow(row)
            if row.endsRun { return given + (seesGaps ? close(with: row) : compare(row, now)) }
            given.append(row)
        }
        if hasGrown {
            changedAt = now
            pause = RunLane.firstPause
        }
        if page.isFull {
            readAt = now
            return given
        }
        return given + wait(now)
    }

    private mutating func noteRow(_ row: EngineEvent) {
        guard let id = row.envelope?.eventID else { return }
        if fromLog.count >= 2 * RunLane.rememberedEvents { fromLog.removeFirst(RunLane.rememberedEvents) }
        fromLog.append(id)
    }

    /// The log has nothing new: waits for more, or for no more.
    private mutating func wait(_ now: UInt64) -> [EngineEvent] {
        let isQuiet = now >= changedAt &+ (held.isEmpty ? RunLane.patience : RunLane.heldPatience)
        // What came after the last whole piece of a run that was cut off is not handed on: it would be no beginning.
        if isActive == false, isLastReading || isQuiet { return holdsEnd ? giveUp(now) : interrupt() }
        if isActive != true, isQuiet, !isKnown {
            failure = Failure(.notFound, "there is no such run")
            phase = .over
            return []
        }
        if isQuiet || isProbing && isActive == true && held.isEmpty { return held.isEmpty ? release(now) : giveUp(now) }
        readLater(now)
        return []
    }

    /// What is missing is lost: what came after it follows.
    private mutating func giveUp(_ now: UInt64) -> [EngineEvent] {
        if hasLost { counts.gaps += 1 + Int64(breaks.count) }
        breaks = []
        isBroken = false
        return release(now)
    }

    /// The log cannot be read; `isLasting`: and will not be.
    mutating func readingFailed(_ failure: Failure, isLasting: Bool, now: UInt64) -> [EngineEvent] {
        readingAfter = nil
        if phase == .comparing { return compareLater(now, isLasting: isLasting) }
        guard phase == .healing else { return [] }
        guard isLasting else {
            readLater(now)
            return []
        }
        if failure.name == .protocol || !trustsNumbers { return findNoLog(failure, now) }
        guard isActive == false, !holdsEnd else { return giveUp(now) }
        self.failure = failure
        phase = .over
        return []
    }

    /// A server whose answer is no log numbers its events as it likes: that some are missing cannot be said.
    private mutating func findNoLog(_ failure: Failure, _ now: UInt64) -> [EngineEvent] {
        hasLost = false
        let given = handOnHeld(now)
        guard phase != .over else { return given }
        guard isActive == false else { return given + becomeLive(now) }
        // Nor does it say anything of the run, whose end may be on its way.
        if now < changedAt &+ RunLane.patience {
            readLater(now)
            return given
        }
        self.failure = failure
        phase = .over
        return given
    }

    /// No log will bring what is missing before what is held.
    private mutating func handOnHeld(_ now: UInt64) -> [EngineEvent] {
        hasNoLog = true
        let waiting = takeAllHeld()
        var given: [EngineEvent] = []
        for event in waiting where phase != .over { given += handOn(event, now) }
        return given
    }

    private mutating func takeAllHeld() -> [EngineEvent] {
        var waiting = held
        for cut in cutEvents where cutDeltas.contains(cut.seq ?? 0) {
            // Of one run the numbers rise, whatever else they mean.
            let place = waiting.firstIndex { $0.seq ?? 0 > cut.seq ?? 0 } ?? waiting.endIndex
            waiting.insert(cut, at: place)
        }
        held = []
        heldSize = 0
        breaks = []
        isBroken = false
        cutDeltas = []
        cutEvents = []
        return waiting
    }

    /// Whether a page has another event where one of this run came: it is the log of another.
    private func contradicts(_ page: LogPage) -> Bool {
        if held.isEmpty || isEngineAnother { return false }
        let ids = Dictionary(
            held.lazy.compactMap { $0.envelope.map { ($0.seq, $0.eventID) } },
            uniquingKeysWith: { first, _ in first }
        )
        return page.events.contains { row in
            guard let envelope = row.envelope, let id = ids[envelope.seq] else { return false }
            return id != envelope.eventID
        }
    }

    /// The server's numbers mean nothing: what was held because of them follows.
    mutating func mistrust(now: UInt64) -> [EngineEvent] {
        trustsNumbers = false
        isEngineAnother = false
        hasLost = false
        probeAt = nil
        guard phase == .healing else { return [] }
        let given = handOnHeld(now)
        return given + (phase != .over && isKnown && !wasAway ? becomeLive(now) : [])
    }

    private static let noLog = Failure(.protocol, "the engine's answer is no log of the run")

    /// Whether the run's end has come, behind what is missing.
    private var holdsEnd: Bool { held.contains(where: \.endsRun) }

    mutating func readSoon(at now: UInt64) {
        readAt = now
        pause = RunLane.firstPause
    }

    mutating func readLater(_ now: UInt64) {
        readAt = now &+ pause
        pause = min(pause * 2, RunLane.longestPause)
    }

    /// The engine has said whether the run goes on.
    mutating func status(isActive: Bool, now: UInt64) {
        guard phase == .healing else { return }
        if isActive { isKnown = true }
        if self.isActive != isActive { changedAt = now }
        self.isActive = isActive
        // Its end was lost, maybe before something that came.
        let canAsk = !seesGaps && !handsOn && !hasAskedForText && sinceText.count < RunLane.rememberedEvents
        if !isActive, canAsk, held.isEmpty { rewindToText(now) }
        readSoon(now)
    }

    private mutating func readSoon(_ now: UInt64) {
        pause = RunLane.firstPause
        if readAt != nil { readAt = now }
    }

    private mutating func count(_ row: EngineEvent) {
        guard hasLost, let seq = row.envelope?.seq else { return }
        if cutDeltas.remove(seq) != nil {
            counts.truncated += 1
            if !EventFrame.isCutDelta(row) { counts.healed += 1 }
            return
        }
        counts.healed += 1
        if cuts > 0, row.properties.bytes.count > RunLane.longFrame {
            cuts -= 1
            counts.truncated += 1
        } else {
            counts.gaps += 1
        }
    }

    /// What was held follows, up to where something else is missing.
    private mutating func release(_ now: UInt64) -> [EngineEvent] {
        let end = held.dropFirst().firstIndex { breaks.contains($0.envelope?.seq ?? 0) } ?? held.endIndex
        let waiting = held[..<end]
        held = Array(held[end...])
        heldSize = held.reduce(0) { $0 + EventFrame.size($1) }
        if let first = held.first?.envelope?.seq { breaks.remove(first) }
        let isWhole = held.isEmpty && !isBroken
        var given = isWhole ? becomeLive(now) : []
        for event in waiting where phase != .over {
            if let seq = event.envelope?.seq, seq <= delivered { continue }
            given += give(event, now)
        }
        guard !isWhole, phase != .over else { return given }
        // What is missing behind the last held event is read next; behind others there is a mark.
        if held.isEmpty { isBroken = false }
        changedAt = now
        readAt = now
        pause = RunLane.firstPause
        return given
    }

    private mutating func becomeLive(_ now: UInt64) -> [EngineEvent] {
        phase = .live
        hasLost = true
        isProbing = false
        probeAt = seesGaps || !trustsNumbers ? nil : now &+ RunLane.silence
        cuts = 0
        cutDeltas = []
        cutEvents = []
        wasAway = false
        hasNoLog = false
        breaks = []
        overtaken = []
        return told()
    }

    /// The run ended without an end: its engine did.
    private mutating func interrupt() -> [EngineEvent] {
        phase = .over
        guard isKnown else {
            failure = Failure(.notFound, "there is no such run")
            return []
        }
        let text = "the engine ended while the run was going on"
        func named(_ type: String, _ body: (inout JSONWriter) -> Void) -> EngineEvent {
            let properties = JSONWriter.object { writer in
                writer.optional("sessionID", sessionID)
                writer.member("runID", runID)
                body(&writer)
            }
            return EngineEvent(type: type, properties: properties)
        }
        let error = named(EngineEventName.sessionError) { writer in
            writer.member(
                "error",
                object: { writer in
                    writer.member("code", "INTERRUPTED")
                    writer.member("message", text)
                }
            )
        }
        let end = named(EngineEventName.sessionRunFinished) { writer in
            writer.member("status", "error")
            writer.member("error", text)
            writer.member("failureCategory", "runtime")
        }
        return told() + [error, end]
    }
}

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
    var delivered: Int64
    /// The number up to which the log has given all: what comes live with a lower one has been given.
    var readUpTo: Int64 = .min
    /// What kept the lane from being followed to its end.
    var failure: Failure?
    var held = HeldEvents()
    /// Events that were given ahead of others, by id.
    var overtaken: Set<String> = []
    var counts = ResyncCounts()
    /// Whether what is read is told as healed: a stream that begins late has lost nothing.
    var hasLost: Bool
    /// An event of it came, or an answer of the engine named it.
    var isKnown: Bool
    var cutEvents = CutEvents()
    private var messageIDs: [String] = []
    /// The number after which the log is being read.
    var readingAfter: Int64?
    var isLastReading = false
    var reading = ReadingTime()
    var changedAt: UInt64 = 0
    /// Whether the engine says that the run goes on; nil: it has not been asked.
    var isActive: Bool?
    var isEngineAnother = false
    /// False where the server's numbers mean nothing: what comes is handed on as it comes, and no log is believed.
    var trustsNumbers = true
    /// The server's last answer was no log of this run, so nothing is held for one.
    var hasNoLog = false
    /// The log has given something of this run.
    var isLogProven = false
    /// Events that the log gave last, by id: where numbers mean nothing, nothing else tells that they come again.
    var fromLog: [String] = []
    /// The connection was lost since the lane was whole.
    var wasAway = false
    /// False on a filtered stream: there a run that falls silent, or completes without a final text, has its log asked,
    /// and each that ends is compared with its log.
    var seesGaps = true
    var comparison = RunComparison()
    var text = LastText()
    var probeAt: UInt64?
    var isProbing = false

    /// A log that has not grown for so long has all that it will have: engines write it seconds behind.
    static let patience: UInt64 = 30_000_000_000
    /// The row of an event that came live will come, unless the log is broken.
    static let heldPatience: UInt64 = 60_000_000_000
    /// What is held while the log is read, in bytes; past it the log has to give that too.
    static let heldLimit = 64 * 1024
    /// The same until the log has given anything: a server may have none.
    static let unprovenLimit = 1024 * 1024
    /// After so long without an event a filtered stream may have lost its run's end.
    static let silence: UInt64 = 10_000_000_000

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
        reading.at = now
    }
}

// What it needs, and what it has learned.
extension RunLane {
    /// Set when the log gave the end before the stream: the number of it.
    var endInLog: Int64? { phase == .over && readUpTo == delivered ? delivered : nil }

    /// When the log has to be read.
    var nextReading: UInt64? {
        switch phase {
        case .live: probeAt
        case .healing, .comparing: readingAfter == nil ? reading.at : nil
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

    mutating func learn(_ event: EngineEvent) {
        isKnown = true
        sessionID = sessionID ?? event.sessionID
        guard let id = event.properties["messageID"]?.string ?? event.properties.at("part", "messageID")?.string,
            !messageIDs.contains(id)
        else { return }
        messageIDs = messageIDs.suffix(3) + [id]
    }
}

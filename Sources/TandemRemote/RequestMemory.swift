internal import TandemContract
internal import TandemJSON

/// The permissions and questions that a stream has told of, so that each is told once: a value.
struct RequestMemory {
    struct Entry: Equatable {
        let isQuestion: Bool
        let sessionID: String?
        var isAsked = false
        /// Types of the events that settled it.
        var settled: Set<String> = []
        /// The reading of the engine's lists that was under way or over when it was asked.
        let round: Int64

        var isPending: Bool { isAsked && settled.isEmpty }
    }

    private(set) var entries: [String: Entry] = [:]
    private var order: [String] = []

    private static let limit = 1_024

    /// False for an event that has been told; others are remembered.
    mutating func admits(_ event: EngineEvent, round: Int64) -> Bool {
        guard let kind = RequestMemory.kinds[event.type], let id = event.properties[kind.name]?.string else {
            return true
        }
        var entry =
            entries[id] ?? Entry(isQuestion: kind.name == "id", sessionID: event.sessionID, round: round)
        if kind.isAsked {
            if entry.isAsked { return false }
            entry.isAsked = true
        } else if !entry.settled.insert(event.type).inserted {
            return false
        }
        if entries[id] == nil { order.append(id) }
        entries[id] = entry
        forgetOldest()
        return true
    }

    /// It was not delivered after all.
    mutating func forget(_ event: EngineEvent) {
        guard let kind = RequestMemory.kinds[event.type], let id = event.properties[kind.name]?.string else { return }
        if kind.isAsked { entries[id]?.isAsked = false } else { entries[id]?.settled.remove(event.type) }
    }

    func isPending(_ id: String) -> Bool { entries[id]?.isPending ?? false }

    private mutating func forgetOldest() {
        guard order.count > RequestMemory.limit else { return }
        let kept = order.suffix(RequestMemory.limit / 2)
        for id in order.dropLast(kept.count) { entries[id] = nil }
        order = Array(kept)
    }

    private static let kinds: [String: (name: String, isAsked: Bool)] = [
        EngineEventName.permissionAsked: ("requestID", true),
        EngineEventName.permissionReplied: ("requestID", false),
        EngineEventName.permissionWaitTimeout: ("requestID", false),
        EngineEventName.questionAsked: ("id", true),
        EngineEventName.questionReplied: ("id", false),
    ]

    /// Whether an event is of use only while it is fresh: it is not held back while others are read again.
    static func isUrgent(_ event: EngineEvent) -> Bool { kinds[event.type] != nil }

    /// The question that an event without a session answers.
    static func settledQuestion(_ event: EngineEvent) -> String? {
        event.type == EngineEventName.questionReplied ? event.properties["id"]?.string : nil
    }
}

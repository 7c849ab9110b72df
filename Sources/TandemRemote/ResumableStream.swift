internal import TandemContract
internal import TandemJSON

/// A stream that no run's log can heal, over the connections that it takes: a value.
///
/// What the contract says of the stream decides: with a cursor it goes on where it was; without, it goes on from now, and
/// says that something may be missing.
struct ResumableStream {
    enum Step {
        case end(Failure)
        case retry(milliseconds: Int64, EngineEvent)
    }

    /// False for a stream that is not opened again: it has the server's events, and none of ours.
    private let isTold: Bool
    private let cursorArgument: String?
    private let cursorPointer: String
    private let first: JSONText
    private var cursor: Int64?
    private var attempts: Int64 = 1
    private var pauses = ReconnectPauses()
    private var isBeginning = true
    private var hasBegun = false
    /// Events that were dropped and will come again.
    private var rewound: Int64 = 0

    init(_ operation: Operation, isTold: Bool = true) {
        self.isTold = isTold
        let stream = operation.description["stream"]
        let name = stream?.at("cursor", "argument")?.string
        cursorArgument = name.map { name in operation.arguments.first { $0.name == name }?.wire ?? name }
        cursorPointer = stream?.at("cursor", "pointer")?.string ?? ""
        first = stream?["first"] ?? .null
    }

    /// The request of the next connection.
    func request(_ original: Request) -> Request {
        guard let cursorArgument, let cursor else { return original }
        var request = original
        // The newest word on where to begin: what the caller said was for the first time.
        request.query.removeAll { [cursorArgument, "tail"].contains($0.name) }
        request.headers.removeAll { $0.name.lowercased() == "last-event-id" }
        request.query.append(.init(cursorArgument, String(cursor)))
        return request
    }

    /// The connection is there.
    mutating func opened() -> [EngineEvent] {
        isBeginning = true
        defer { hasBegun = true }
        if !isTold { return [] }
        guard hasBegun else {
            // Where the stream's own first frame is none that comes as an event, ours says it.
            return first.isNull || first["event"] != nil ? [EventFeed.connected(attempts)] : []
        }
        var said = [EventFeed.connected(attempts)]
        if rewound > 0 {
            said.append(ResyncCounts(gaps: rewound, healed: rewound).event(session: nil, run: nil))
            rewound = 0
        } else if cursor == nil {
            said.append(ResyncCounts(gaps: 1).event(session: nil, run: nil))
        }
        return said
    }

    mutating func take(_ frames: [StreamFrame]) -> [EngineEvent] {
        pauses.succeeded()
        return frames.flatMap { frame -> [EngineEvent] in
            guard case .event(let event) = frame else {
                if !isTold { return [] }
                return [ResyncCounts(truncated: 1).event(session: nil, run: nil)]
            }
            return take(event)
        }
    }

    private mutating func take(_ event: EngineEvent) -> [EngineEvent] {
        if isBeginning, attempts > 1, opens(event) { return [] }
        isBeginning = false
        guard let number = number(event) else { return [event] }
        if let cursor, number <= cursor { return [] }
        cursor = number
        return [event]
    }

    private func opens(_ event: EngineEvent) -> Bool {
        if EventFrame.isOfStream(event) { return true }
        return !first.isNull && first.members.allSatisfy { event.properties[$0.key] == $0.value }
    }

    private func number(_ event: EngineEvent) -> Int64? {
        cursorArgument == nil ? nil : event.frame.value(at: cursorPointer)?.integer
    }

    mutating func lost(_ failure: Failure, wait: Int64?, random: UInt64) -> Step {
        if !hasBegun || EventFeed.isFinal(failure) { return .end(failure) }
        attempts += 1
        let pause = pauses.next(base: wait, random: random)
        return .retry(milliseconds: pause, EventFeed.interrupted(failure.message, pause))
    }

    /// The consumer has no room for these: where to go on once it has; nil where the stream cannot be told.
    mutating func rewind(before events: [EngineEvent]) -> Bool {
        guard let place = events.compactMap({ self.number($0) }).first else { return false }
        // Before the least number there is none to go on after: it begins where the caller said.
        cursor = place == .min ? nil : place - 1
        attempts += 1
        rewound += Int64(events.count)
        return true
    }
}

internal import TandemContract
internal import TandemJSON

/// Events of one run, or of one session outside its runs, as one row of the log holds them: one row a commit costs a
/// fraction of one row an event.
///
/// Each is a line `id at_ms type length` and after it the properties, so many bytes. Their numbers have no gaps.
struct EventGroup {
    /// The number of the last one.
    let last: Int64
    let count: Int64
    let run: Int64?
    let runID: String?
    let sessionID: String?
    /// When the last one was.
    let milliseconds: Int64
    let bytes: [UInt8]

    /// A group that has more is ended: who wants a few events should not have to read many.
    static let usualBytes = 64 * 1_024
    static let countLimit = 64

    /// The events, the earliest first; what cannot be read ends them.
    var events: [LoggedEvent] {
        var events: [LoggedEvent] = []
        var reader = Reader(rest: bytes[...])
        var seq = last &- count
        while let event = reader.next() {
            seq &+= 1
            let envelope = EngineEvent.Envelope(
                eventID: event.id,
                seq: seq,
                occurredAtMilliseconds: event.milliseconds,
                sessionID: sessionID,
                runID: runID
            )
            let properties = JSONText(trusted: Array(event.properties))
            events.append(
                LoggedEvent(
                    run: run,
                    event: EngineEvent(type: event.type, properties: properties, envelope: envelope)
                )
            )
        }
        return events
    }
}

extension EventGroup {
    /// Events that were published, in groups and in their order.
    static func groups(of events: ArraySlice<LoggedEvent>) -> [EventGroup] {
        var groups: [EventGroup] = []
        var start = events.startIndex
        while start < events.endIndex {
            var bytes: [UInt8] = []
            bytes.reserveCapacity(usualCount * min(events.endIndex - start, countLimit))
            var end = start
            repeat {
                write(events[end].event, to: &bytes)
                end += 1
            } while end < events.endIndex && end - start < countLimit && bytes.count < usualBytes
                && events[end].follows(events[end - 1])
            groups.append(EventGroup(events[start..<end], bytes))
            start = end
        }
        return groups
    }

    /// About as many bytes are an event.
    private static let usualCount = 384

    private init(_ events: ArraySlice<LoggedEvent>, _ bytes: [UInt8]) {
        let last = events.last
        self.last = last?.seq ?? 0
        count = Int64(events.count)
        run = last?.run
        runID = last?.runID
        sessionID = last?.sessionID
        milliseconds = last?.event.envelope?.occurredAtMilliseconds ?? 0
        self.bytes = bytes
    }

    private static func write(_ event: EngineEvent, to bytes: inout [UInt8]) {
        guard let envelope = event.envelope else { return }
        let properties = event.properties.bytes
        for field in [envelope.eventID, String(envelope.occurredAtMilliseconds), event.type] {
            bytes.append(contentsOf: field.utf8)
            bytes.append(UInt8(ascii: " "))
        }
        bytes.append(contentsOf: String(properties.count).utf8)
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: properties)
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        struct Event {
            let id: String
            let milliseconds: Int64
            let type: String
            let properties: ArraySlice<UInt8>
        }

        /// Nil at the end, and where the next is no event.
        mutating func next() -> Event? {
            if rest.isEmpty { return nil }
            let id = field(UInt8(ascii: " "))
            let milliseconds = Int64(field(UInt8(ascii: " ")))
            let type = field(UInt8(ascii: " "))
            guard let milliseconds, let length = Int(field(UInt8(ascii: "\n"))), length > 0, length <= rest.count else {
                return nil
            }
            defer { rest = rest.dropFirst(length) }
            return Event(id: id, milliseconds: milliseconds, type: type, properties: rest.prefix(length))
        }

        private mutating func field(_ end: UInt8) -> String {
            let text = rest.prefix { $0 != end }
            rest = rest.dropFirst(text.count + 1)
            return String(decoding: text, as: UTF8.self)
        }
    }
}

extension LoggedEvent {
    /// Whether it is the next event of the same run, or of the same session outside its runs.
    fileprivate func follows(_ other: LoggedEvent) -> Bool {
        run == other.run && seq == other.seq &+ 1 && (run != nil || sessionID == other.sessionID)
    }
}

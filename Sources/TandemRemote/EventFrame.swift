internal import TandemContract
internal import TandemHTTP
internal import TandemJSON

/// Makes events of what a stream carries.
enum EventFrame {
    /// nil for what is no JSON object: a frame that the engine has cut, or no event at all.
    static func event(_ frame: EventStreamParser.Event) -> EngineEvent? {
        if let event = event(frame.data, name: frame.name) { return event }
        // An event stream is text: bytes that are no UTF-8 count as U+FFFD each, and do not spoil the event.
        let text = Array(String(decoding: frame.data, as: UTF8.self).utf8)
        return text == frame.data ? nil : event(text, name: frame.name)
    }

    static func event(_ bytes: [UInt8], name: String = usualName) -> EngineEvent? {
        guard let json = json(bytes), json.kind == .object else { return nil }
        return EngineEvent(
            type: json["type"]?.string ?? type(json, name),
            properties: json["properties"] ?? json,
            envelope: json["envelope"].flatMap(envelope),
            received: json
        )
    }

    /// About what an event takes to keep, in bytes: without making its frame.
    static func size(_ event: EngineEvent) -> Int { event.properties.bytes.count + 256 }

    /// Whether an event tells of the stream itself.
    static func isOfStream(_ event: EngineEvent) -> Bool {
        event.envelope == nil && typesOfStream.contains(event.type)
    }

    /// Whether an event is one of those that open every stream of the bus.
    static func isOpening(_ event: EngineEvent) -> Bool {
        event.type == EngineEventName.serverConnected || event.type == EngineEventName.engineLifecycleReady
    }

    /// Whether an event has a message's text, whole.
    static func isFinalText(_ event: EngineEvent) -> Bool {
        event.type == EngineEventName.messagePartUpdated && event.properties["delta"] == nil
            && event.properties.at("part", "type")?.string == "text"
    }

    /// Whether an event is one that only the process makes that executes the run.
    static func isOfRunItself(_ event: EngineEvent) -> Bool {
        event.type == EngineEventName.messagePartUpdated || event.endsRun
    }

    /// Whether a delta's text was cut at the 4,000 bytes that an engine allows one.
    static func isCutDelta(_ event: EngineEvent) -> Bool {
        guard event.type == EngineEventName.messagePartUpdated,
            let text = event.properties["delta"]?.escapedContent, text.count >= cutDeltaBytes
        else { return false }
        return text.suffix(cutMark.count).elementsEqual(cutMark)
    }

    /// Whether a frame only says that the connection lives, whatever it carries.
    static func isSignOfLife(_ frame: EventStreamParser.Event) -> Bool { signsOfLife.contains(frame.name) }

    private static let usualName = "message"
    private static let typesOfStream: Set<String> = [
        EngineEventName.serverConnected, EngineEventName.engineLifecycleReady, EngineEventName.runStreamConnected,
        EventName.streamConnected, EventName.streamInterrupted, EventName.streamResynced,
    ]
    private static let cutDeltaBytes = 4_000
    private static let cutMark = Array("...<truncated>".utf8)
    private static let signsOfLife: Set<String> = ["ready", "heartbeat", "keepalive"]

    /// A stream's text is decoded with replacement characters, says the standard; only what needs it is.
    private static func json(_ bytes: [UInt8]) -> JSONText? {
        if let json = try? JSONText(checking: bytes) { return json }
        let text = String(decoding: bytes, as: UTF8.self)
        return text.utf8.elementsEqual(bytes) ? nil : try? JSONText(checking: text)
    }

    /// The type of a frame that names none.
    private static func type(_ json: JSONText, _ name: String) -> String {
        if name != usualName { return name }
        return json["status"]?.string ?? json["kind"]?.string ?? usualName
    }

    private static func envelope(_ json: JSONText) -> EngineEvent.Envelope? {
        guard let id = json["event_id"]?.string, let seq = json["seq"]?.integer else { return nil }
        return EngineEvent.Envelope(
            eventID: id,
            seq: seq,
            occurredAtMilliseconds: json["occurred_at_ms"]?.integer ?? 0,
            sessionID: json["session_id"]?.string,
            runID: json["run_id"]?.string
        )
    }
}

// Where an event belongs; engines spell the identifiers in three ways.
extension EngineEvent {
    var seq: Int64? { envelope?.seq }

    var runID: String? {
        envelope?.runID ?? first(of: ["runID", "runId", "run_id"], in: properties)
            ?? properties["part"].flatMap { first(of: ["runID", "runId", "run_id"], in: $0) }
    }

    var sessionID: String? {
        envelope?.sessionID ?? first(of: ["sessionID", "sessionId", "session_id"], in: properties)
            ?? properties["part"].flatMap { first(of: ["sessionID", "sessionId", "session_id"], in: $0) }
    }

    var endsRun: Bool { type == EngineEventName.sessionRunFinished }

    private func first(of names: [String], in object: JSONText) -> String? {
        names.lazy.compactMap { object[$0]?.string }.first
    }
}

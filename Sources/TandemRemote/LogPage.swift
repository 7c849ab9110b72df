internal import TandemContract
internal import TandemJSON

/// A page of a run's log, as events in their order.
struct LogPage: Equatable, Sendable {
    let events: [EngineEvent]
    /// There may be more after it.
    let isFull: Bool

    static let limit = 1_000

    init(events: [EngineEvent], isFull: Bool) {
        self.events = events
        self.isFull = isFull
    }

    /// nil for an answer that is no log of the run, or none of what comes after that number.
    init?(_ json: JSONText?, of run: String, after: Int64) {
        guard let rows = json?["events"], rows.kind == .array, json?["run_id"]?.string ?? run == run else { return nil }
        let events = rows.elements.compactMap(LogPage.event)
        if events.contains(where: { $0.envelope?.runID ?? run != run }) { return nil }
        if !events.isEmpty, !events.contains(where: { $0.seq ?? 0 > after }) { return nil }
        self.events = events.sorted { ($0.envelope?.seq ?? 0) < ($1.envelope?.seq ?? 0) }
        isFull = events.count >= LogPage.limit
    }

    /// Rows are flat: `event_type` and `payload` beside what is an event's envelope.
    private static func event(_ row: JSONText) -> EngineEvent? {
        guard let type = row["event_type"]?.string, let id = row["event_id"]?.string, let seq = row["seq"]?.integer
        else { return nil }
        return EngineEvent(
            type: type,
            properties: row["payload"] ?? .emptyObject,
            envelope: EngineEvent.Envelope(
                eventID: id,
                seq: seq,
                occurredAtMilliseconds: row["occurred_at_ms"]?.integer ?? 0,
                sessionID: row["session_id"]?.string,
                runID: row["run_id"]?.string
            )
        )
    }
}

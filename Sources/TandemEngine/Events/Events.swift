internal import TandemContract
internal import TandemJSON
internal import TandemStore

/// Streams of events, and a run's stored events.
enum Events {
    static let migrations = EventLog.migrations

    static let handlers: [Handler] = [
        .stream(.engineStream, filter),
        .stream(.engineGlobalStream, filter),
        .read(.engineRunEvents, runEvents),
    ]

    @Sendable private static func filter(_ request: Request) -> EventFilter {
        EventFilter(sessionID: request.query("sessionID"), runID: request.query("runID"))
    }

    private static let defaultLimit: Int64 = 250
    private static let largestLimit: Int64 = 1_000

    @Sendable private static func runEvents(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        let runID = request.path("run_id")
        let since = try request.whole("since_seq")
        let after = try request.whole("after_seq") ?? since ?? 0
        let before = try request.whole("before_seq")
        let tail = try request.whole("tail")
        let limit = min(max(1, try request.whole("limit") ?? defaultLimit), largestLimit)
        let events = try stored { () throws(StoreError) in
            let store = reading.connection
            guard before != nil || tail != nil else {
                return try EventLog.page(store, EventFilter(runID: runID), after: after, limit: limit) ?? []
            }
            guard let run = try RunStore.number(runID, in: store) else { return [] }
            return try EventLog.lastPage(
                store,
                run: run,
                after: after,
                before: before ?? .max,
                limit: min(max(1, tail ?? limit), largestLimit)
            )
        }
        return .json(
            JSONWriter.object { writer in
                writer.member("run_id", runID)
                writer.member("events", array: { writer in for event in events { write(event, &writer) } })
                writer.member("count", events.count)
                writer.nullable("first_seq", events.first?.seq)
                writer.nullable("last_seq", events.last?.seq)
                writer.member("limit", limit)
                writer.nullable("tail", tail)
                writer.member("sequence_scope", "runtime_event_bus")
            }
        )
    }

    private static func write(_ event: LoggedEvent, _ writer: inout JSONWriter) {
        guard let envelope = event.event.envelope else { return }
        writer.object { writer in
            writer.member("event_id", envelope.eventID)
            writer.member("seq", envelope.seq)
            writer.member("schema_version", 1)
            writer.member("occurred_at_ms", envelope.occurredAtMilliseconds)
            writer.optional("session_id", envelope.sessionID)
            writer.optional("run_id", envelope.runID)
            writer.member("event_type", event.event.type)
            writer.member("payload", event.event.properties)
            writer.member("tenant_context", EngineContext.tenant)
        }
    }
}

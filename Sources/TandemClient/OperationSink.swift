internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// Where an engine puts what an operation gives: events are put into the host's words here.
final class OperationSink: Sink {
    private struct State {
        var normalizer: EventNormalizer
        var taken: Int64 = 0
        var wasBehind = false
    }

    private let client: Client
    private let call: Call
    private let id: UInt64
    private let operation: Operation
    private let plan: Plan
    private var options: CallOptions { plan.options }
    private let state: Lock<State>

    init(_ client: Client, _ call: Call, _ id: UInt64, _ operation: Operation, _ plan: Plan) {
        self.client = client
        self.call = call
        self.id = id
        self.operation = operation
        self.plan = plan
        let request = plan.request
        func named(_ wire: String, _ path: String) -> String? {
            request.query(wire) ?? request.path.first { $0.name == path }?.value
        }
        state = Lock(
            State(
                normalizer: EventNormalizer(
                    sessionID: named("sessionID", "session_id"),
                    runID: named("runID", "run_id"),
                    now: client.clock.milliseconds
                )
            )
        )
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int {
        // An engine hands one stream's events over on one thread at a time.
        var current = state.withLock { $0 }
        var count = 0
        for event in events {
            var next = current
            var items = items(of: event, &next)
            if current.wasBehind, !items.isEmpty, !client.backend.tellsResyncs { items.insert(resynced(), at: 0) }
            let (acceptance, isLast) = put(items, &next)
            if acceptance == .behind {
                current.wasBehind = true
                break
            }
            next.wasBehind = items.isEmpty && current.wasBehind
            current = next
            count += 1
            if isLast || acceptance == .gone {
                count = events.count
                break
            }
        }
        let reached = current
        state.withLock { $0 = reached }
        return count
    }

    func end(_ outcome: Result<Reply?, Failure>) {
        switch outcome {
        case .failure(let failure): client.end(id, .failure(failure))
        case .success(nil): client.end(id, .success(Self.ended(true)))
        case .success(let reply?):
            client.learn(.success(reply), operation)
            client.end(id, client.finish(reply, operation, plan))
        }
        call.finish()
    }

    private static func ended(_ byItself: Bool) -> JSONText { JSONWriter.object { $0.member("ended", byItself) } }

    /// Queues the items of one engine event, all or none; ends the stream where it has given as many as were asked for.
    private func put(_ items: [Item], _ next: inout State) -> (Mailbox.Acceptance, isLast: Bool) {
        var acceptance = Mailbox.Acceptance.taken
        client.change { state in
            for (index, item) in items.enumerated() {
                acceptance = state.mailbox.put(item, into: id, isForced: index > 0)
                if acceptance != .taken { return }
            }
        }
        guard acceptance == .taken, let take = options.take else { return (acceptance, false) }
        next.taken += Int64(items.count)
        guard next.taken >= take else { return (acceptance, false) }
        client.endStream(id, Self.ended(false))
        return (acceptance, true)
    }

    private func resynced() -> Item {
        let counts = JSONWriter.object { writer in
            for (name, count) in [("gaps", 1), ("duplicates", 0), ("truncated", 0), ("healed", 1)] {
                writer.member(name, count)
            }
        }
        let context = EventContext(sessionID: nil, runID: nil, atMilliseconds: client.clock.milliseconds)
        return .event(EventName.streamResynced, tag: options.tag, context, "properties", counts)
    }

    private func items(of event: EngineEvent, _ next: inout State) -> [Item] {
        guard options.vocabulary == .normalized else {
            let context = EventContext(
                sessionID: event.envelope?.sessionID ?? event.properties["sessionID"]?.string,
                runID: event.envelope?.runID ?? event.properties["runID"]?.string,
                atMilliseconds: event.envelope?.occurredAtMilliseconds ?? client.clock.milliseconds
            )
            return [.event(event.type, tag: options.tag, context, "frame", event.frame)]
        }
        let event = options.isStrict ? event : ResourceKey.restored(in: event)
        return next.normalizer.normalize(event).map { event in
            if event.type == EventName.sessionResponse, let escaped = event.properties["delta"]?.escapedContent {
                return Item(content: .delta(escaped: Array(escaped)), context: event.context)
            }
            return .event(event.type, tag: options.tag, event.context, "properties", event.properties)
        }
    }
}

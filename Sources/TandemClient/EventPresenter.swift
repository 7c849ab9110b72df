internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// Puts the engine's events of one stream into the form that its operation asked for: a value.
struct EventPresenter: Sendable {
    private let vocabulary: CallOptions.Vocabulary
    private let tag: JSONText?
    private let restoresKeys: Bool
    /// Text is joined with more of it: an engine's frame then stands for several.
    private let joins: Bool
    private let clock: any Clock
    private var normalizer: EventNormalizer
    /// Only where events carry the state of their run.
    private var states: RunStates?

    init(_ options: CallOptions, sessionID: String?, runID: String?, description: JSONText?, clock: any Clock) {
        vocabulary = options.vocabulary
        tag = options.tag
        restoresKeys = !options.isStrict
        joins = options.coalesceMilliseconds > 0
        self.clock = clock
        states = options.folds ? RunStates() : nil
        normalizer = EventNormalizer(
            sessionID: sessionID,
            runID: runID,
            description: description,
            now: clock.milliseconds
        )
    }

    mutating func items(of event: EngineEvent) -> [Item] {
        if vocabulary == .engine, states == nil { return [joinable(event, nil) ?? frame(event)] }
        let named = restoresKeys ? ResourceKey.restored(in: event) : event
        let events = normalizer.normalize(named).map { event in (event, states?.fold(event)) }
        if vocabulary != .normalized, let text = joinable(named, events.last?.1) { return [text] }
        switch vocabulary {
        case .normalized: return events.map { item(of: $0, $1) }
        case .engine: return [frame(event, events.last?.1)]
        case .both:
            let added = events.filter { EventPresenter.added.contains($0.0.type) }
            return [frame(named, events.last?.1)] + added.map { item(of: $0, $1) }
        }
    }

    /// How many items the event would be, for events that nobody is shown; what it leaves to later ones is kept.
    mutating func skip(_ event: EngineEvent) -> Int {
        guard vocabulary == .normalized, states == nil, let count = normalizer.countOfPlain(event) else {
            return items(of: event).count
        }
        return count
    }

    /// What the documented programs look for and engines never send.
    private static let added: Set<String> = [
        EventName.sessionResponse, EventName.runCompleted, EventName.runFailed, EventName.runCancelled,
        EventName.runTimeout,
    ]

    /// Says that a stream which had been behind has what it missed.
    func resynced() -> Item {
        let counts = JSONWriter.object { writer in
            for (name, count) in [("gaps", 1), ("duplicates", 0), ("truncated", 0), ("healed", 1)] {
                writer.member(name, count)
            }
        }
        let context = EventContext(sessionID: nil, runID: nil, atMilliseconds: clock.milliseconds)
        return .event(EventName.streamResynced, tag: tag, context, "properties", counts)
    }

    private func item(of event: NormalizedEvent, _ state: RunState?) -> Item {
        if event.type == EventName.sessionResponse, let escaped = event.properties["delta"]?.escapedContent {
            return Item(content: .delta(escaped: Array(escaped)), context: event.context, state: state)
        }
        var item = Item.event(event.type, tag: tag, event.context, "properties", event.properties)
        item.state = state
        return item
    }

    /// A piece of text that more can be joined to; nil for other events, and where nothing is joined.
    private func joinable(_ event: EngineEvent, _ folded: RunState?) -> Item? {
        guard joins, let text = TextFrame(event, addsResponse: vocabulary == .both) else { return nil }
        return Item(content: .text(text), context: context(of: event), state: folded)
    }

    private func context(of event: EngineEvent) -> EventContext {
        EventContext(
            sessionID: event.envelope?.sessionID ?? event.properties["sessionID"]?.string,
            runID: event.envelope?.runID ?? event.properties["runID"]?.string,
            atMilliseconds: event.envelope?.occurredAtMilliseconds ?? clock.milliseconds
        )
    }

    private func frame(_ event: EngineEvent, _ folded: RunState? = nil) -> Item {
        let context = context(of: event)
        var item = Item.event(event.type, tag: tag, context, "frame", event.frame)
        item.state = folded ?? states?.state(of: context)
        return item
    }
}

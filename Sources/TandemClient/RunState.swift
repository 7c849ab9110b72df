internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// What a run's normalized events say so far: a value.
///
/// Copies share the text, so that each queued event may carry one; what is not text is written again only when it has
/// changed.
struct RunState: Sendable {
    enum Status: String, Sendable { case running, completed, failed, cancelled, timeout }

    private(set) var runID: String?
    private(set) var status = Status.running
    private(set) var text = TextPieces()
    /// Whether the text is the final one, not the pieces joined.
    private(set) var hasMessage = false
    private(set) var tools = RunTools()
    private(set) var todos = JSONText.emptyArray
    private(set) var permissions = RunRequests()
    private(set) var questions = RunRequests()
    private(set) var usage: RunUsage?
    /// The properties of the event that said that the run failed.
    private(set) var failure: JSONText?
    /// Losses were told that are not made good.
    private(set) var isIncomplete = false
    private var textBeforeCall = TextPieces()
    /// The members beside the text, as they were written last.
    private(set) var others: [UInt8] = []

    init() { others = written() }

    mutating func fold(_ event: NormalizedEvent) {
        if runID == nil, let id = event.context.runID {
            runID = id
            others = written()
        }
        if event.type == EventName.sessionResponse {
            if let delta = event.properties["delta"]?.escapedContent { text.append(delta) }
        } else if foldRequest(event) || foldProgress(event) || foldEnd(event) {
            others = written()
        } else {
            foldText(event)
        }
    }

    private mutating func foldText(_ event: NormalizedEvent) {
        switch event.type {
        case EventName.sessionMessage:
            guard let whole = event.properties["text"]?.escapedContent else { return }
            text = TextPieces(escaped: whole)
            hasMessage = true
        case RunState.callStart: textBeforeCall = text
        // The engine begins the answer again and takes nothing back.
        case RunState.callRetry: text = textBeforeCall
        case EventName.streamResynced:
            let gaps = event.properties["gaps"]?.integer ?? 0
            let lost = gaps.saturatingAdd(event.properties["truncated"]?.integer ?? 0)
            if lost > event.properties["healed"]?.integer ?? 0 { isIncomplete = true }
        default: break
        }
    }

    /// Permissions and questions; false for what is none.
    private mutating func foldRequest(_ event: NormalizedEvent) -> Bool {
        let properties = event.properties
        let id = (properties["request_id"] ?? properties["requestID"])?.string ?? ""
        switch event.type {
        case EventName.permissionRequest:
            permissions.add(id, properties)
            tools.ask(id, tool: properties["tool"]?.string ?? "")
        case EventName.permissionResolved:
            permissions.remove(id)
            if RunState.expiries.contains(properties["reply"]?.string ?? "") { tools.expire(id) }
        case RunState.waitTimeout:
            permissions.remove(id)
            tools.expire(id)
        case EventName.questionRequest: questions.add(id, properties)
        case EventName.questionResolved: questions.remove(id)
        default: return false
        }
        return true
    }

    private mutating func foldProgress(_ event: NormalizedEvent) -> Bool {
        switch event.type {
        case EventName.sessionToolCall, EventName.sessionToolResult: tools.note(event.properties)
        case RunState.unoffered: tools.reject(event.properties["tool"]?.string ?? "")
        case EventName.todoUpdated: todos = event.properties["todos"] ?? todos
        case EventName.runUsage: usage = (usage ?? RunUsage()).adding(event.properties)
        default: return false
        }
        return true
    }

    private mutating func foldEnd(_ event: NormalizedEvent) -> Bool {
        switch event.type {
        case EventName.runCompleted: status = .completed
        case EventName.runCancelled: status = .cancelled
        case EventName.runTimeout: status = .timeout
        case EventName.runFailed:
            status = .failed
            failure = event.properties
        default: return false
        }
        // A question may still be answered when its run is over, a permission not.
        permissions = RunRequests()
        return true
    }

    /// The run is over and nothing more is heard of it.
    mutating func close() {
        tools.close()
        others = written()
    }

    /// Replies that nobody gave.
    private static let expiries: Set<String> = ["timeout", "expired", "permission_expired"]
    private static let waitTimeout = "engine." + EngineEventName.permissionWaitTimeout
    private static let unoffered = "engine." + EngineEventName.toolCallRejectedUnoffered
    private static let callStart = "engine." + EngineEventName.providerCallIterationStart
    private static let callRetry = "engine." + EngineEventName.providerCallIterationRetry
}

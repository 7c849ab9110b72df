internal import TandemContract
internal import TandemJSON

/// An event as the product's documentation names it.
struct NormalizedEvent: Equatable {
    let type: String
    let context: EventContext
    let properties: JSONText
}

/// Makes the engine's events of one stream into the documented ones: a value, event by event.
///
/// The prompt's echo is left out; a run has one terminal event, and it says why a run failed.
struct EventNormalizer {
    /// A stream of one run or session: what events belong to that do not say it themselves.
    private let sessionID: String?
    private let runID: String?
    private let fallbackTime: Int64
    /// The contract's description of the stream; it may say which frame opens it.
    private let description: JSONText?
    /// What went wrong in a run that has not ended yet, by run.
    private var errors: [String: JSONText] = [:]
    /// The latest runs that have ended, in a ring: a stream of everything sees any number of them.
    private var ended: [String] = []
    private var oldestEnded = 0

    private static let rememberedRuns = 64

    init(sessionID: String?, runID: String?, description: JSONText? = nil, now: Int64) {
        self.description = description
        self.sessionID = sessionID
        self.runID = runID
        fallbackTime = now
    }

    mutating func normalize(_ event: EngineEvent) -> [NormalizedEvent] {
        let context = self.context(of: event)
        switch event.type {
        case EngineEventName.serverConnected, EngineEventName.runStreamConnected: return []
        case EngineEventName.engineLifecycleReady:
            return [NormalizedEvent(type: EventName.streamConnected, context: context, properties: Self.firstAttempt)]
        case EngineEventName.messagePartUpdated: return part(event, context)
        case EngineEventName.sessionError, EngineEventName.providerCallIterationError:
            noteError(event, context)
            return []
        case EngineEventName.sessionRunFinished: return finished(event, context)
        default:
            if let known = Self.renamed[event.type] {
                return [NormalizedEvent(type: known.type, context: context, properties: known.pick(event.properties))]
            }
            if opensStream(event) {
                return [
                    NormalizedEvent(type: EventName.streamConnected, context: context, properties: Self.firstAttempt)
                ]
            }
            return [NormalizedEvent(type: "engine." + event.type, context: context, properties: event.properties)]
        }
    }

    /// How many events it gives, where these depend on nothing before it and nothing after it depends on it; else nil.
    func countOfPlain(_ event: EngineEvent) -> Int? {
        switch event.type {
        case EngineEventName.serverConnected, EngineEventName.runStreamConnected: 0
        case EngineEventName.messagePartUpdated: isShown(event.properties) ? 1 : 0
        case EngineEventName.sessionError, EngineEventName.providerCallIterationError: nil
        case EngineEventName.sessionRunFinished: nil
        default: 1
        }
    }

    /// Streams that are none of the bus have first frames without a type.
    private func opensStream(_ event: EngineEvent) -> Bool {
        guard event.envelope == nil, let first = description?.at("stream", "first"), first["type"] == nil,
            !first.members.isEmpty
        else { return false }
        return first.members.allSatisfy { event.properties[$0.key] == $0.value }
    }

    private static let firstAttempt = JSONWriter.object { $0.member("attempt", 1) }

    private func context(of event: EngineEvent) -> EventContext {
        let properties = event.properties
        return EventContext(
            sessionID: event.envelope?.sessionID ?? properties["sessionID"]?.string ?? sessionID,
            runID: event.envelope?.runID ?? properties["runID"]?.string ?? runID,
            atMilliseconds: event.envelope?.occurredAtMilliseconds ?? fallbackTime
        )
    }

    private func part(_ event: EngineEvent, _ context: EventContext) -> [NormalizedEvent] {
        let properties = event.properties
        guard isShown(properties), let part = properties["part"] else { return [] }
        if EventNormalizer.isTool(part) { return [tool(part, context)] }
        if let delta = properties["delta"] {
            let picked = JSONWriter.object { $0.member("delta", delta) }
            return [NormalizedEvent(type: EventName.sessionResponse, context: context, properties: picked)]
        }
        let message = JSONWriter.object { writer in
            writer.member("text", part["text"] ?? .null)
            writer.member("message_id", part["messageID"] ?? .null)
        }
        return [NormalizedEvent(type: EventName.sessionMessage, context: context, properties: message)]
    }

    private func isShown(_ properties: JSONText) -> Bool {
        guard let part = properties["part"] else { return false }
        // The prompt's echo is the only text that names an agent (docs/architecture.md, events).
        return properties["agent"] == nil || EventNormalizer.isTool(part)
    }

    private static func isTool(_ part: JSONText) -> Bool { part["type"]?.string == "tool" }

    private func tool(_ part: JSONText, _ context: EventContext) -> NormalizedEvent {
        let state = part["state"]?.string ?? ""
        let isOver = ["completed", "failed", "denied"].contains(state)
        let properties = JSONWriter.object { writer in
            writer.member("call_id", part["id"] ?? .null)
            writer.member("tool", part["tool"] ?? .null)
            if !isOver { writer.member("args", part["args"] ?? .null) }
            writer.member("state", state)
            guard isOver else { return }
            writer.member("result", part["result"] ?? .null)
            writer.member("error", part["error"] ?? .null)
        }
        let type = isOver ? EventName.sessionToolResult : EventName.sessionToolCall
        return NormalizedEvent(type: type, context: context, properties: properties)
    }

    private mutating func noteError(_ event: EngineEvent, _ context: EventContext) {
        let properties = event.properties
        let said = properties["error"]
        errors[context.runID ?? context.sessionID ?? ""] = JSONWriter.object { writer in
            writer.member("code", said?["code"] ?? properties["errorCode"] ?? .null)
            writer.member("message", said?["message"] ?? (said?.kind == .string ? said : nil) ?? .null)
        }
    }

    private mutating func finished(_ event: EngineEvent, _ context: EventContext) -> [NormalizedEvent] {
        if let run = context.runID {
            if ended.contains(run) { return [] }
            remember(run)
        }
        let properties = event.properties
        let status = properties["status"]?.string ?? "completed"
        let type =
            switch status {
            case "completed": EventName.runCompleted
            case "cancelled": EventName.runCancelled
            case "timeout": EventName.runTimeout
            default: EventName.runFailed
            }
        let notedOfRun = errors.removeValue(forKey: context.runID ?? "")
        let notedOfSession = errors.removeValue(forKey: context.sessionID ?? "")
        let noted = notedOfRun ?? notedOfSession
        let picked = JSONWriter.object { writer in
            writer.member("finished_at_ms", properties["finishedAtMs"] ?? .null)
            guard type == EventName.runFailed else { return }
            writeError(noted, properties, to: &writer)
            writer.member("category", properties["failureCategory"] ?? .null)
        }
        return [NormalizedEvent(type: type, context: context, properties: picked)]
    }

    private mutating func remember(_ run: String) {
        guard ended.count >= EventNormalizer.rememberedRuns else { return ended.append(run) }
        ended[oldestEnded] = run
        oldestEnded = (oldestEnded + 1) % EventNormalizer.rememberedRuns
    }

    private func writeError(_ noted: JSONText?, _ properties: JSONText, to writer: inout JSONWriter) {
        let message = noted?["message"]?.string ?? properties["error"]?.string ?? "the run failed"
        let code = noted?["code"]?.string
        let name = Failure.name(runCode: code, message: message, category: properties["failureCategory"]?.string)
        writer.member(
            "error",
            object: { writer in
                writer.member("name", name.rawValue)
                writer.nullable("code", code)
                writer.member("message", message)
            }
        )
    }
}

// Events that only change their names.
extension EventNormalizer {
    struct Renaming {
        let type: String
        /// Documented name and the engine's, in the order of the documentation.
        let properties: [(String, String)]
        /// What the engine's event says by its type alone.
        var constants: [String: String] = [:]

        func pick(_ source: JSONText) -> JSONText {
            JSONWriter.object { writer in
                for (name, wire) in properties {
                    if let constant = constants[name] {
                        writer.member(name, constant)
                    } else {
                        writer.member(name, source[wire] ?? .null)
                    }
                }
            }
        }
    }

    private static let renamed: [String: Renaming] = [
        EngineEventName.sessionRunStarted: Renaming(
            type: EventName.runStarted,
            properties: [("started_at_ms", "startedAtMs"), ("agent_id", "agentID"), ("client_id", "clientID")]
        ),
        EngineEventName.providerUsage: Renaming(
            type: EventName.runUsage,
            properties: [
                ("provider_id", "providerID"), ("model_id", "modelID"), ("prompt_tokens", "promptTokens"),
                ("completion_tokens", "completionTokens"), ("total_tokens", "totalTokens"), ("source", "usageSource"),
            ]
        ),
        EngineEventName.permissionAsked: Renaming(
            type: EventName.permissionRequest,
            properties: [
                ("request_id", "requestID"), ("tool", "tool"), ("args", "args"), ("requested_at_ms", "requestedAtMs"),
                ("expires_at_ms", "expiresAtMs"),
            ]
        ),
        EngineEventName.permissionReplied: Renaming(
            type: EventName.permissionResolved,
            properties: [
                ("request_id", "requestID"), ("reply", "reply"), ("decided_by", "decidedBy"),
                ("decided_at_ms", "decidedAtMs"),
            ]
        ),
        EngineEventName.permissionWaitTimeout: Renaming(
            type: EventName.permissionResolved,
            properties: [("request_id", "requestID"), ("reply", ""), ("decided_by", ""), ("decided_at_ms", "")],
            constants: ["reply": "timeout"]
        ),
        EngineEventName.permissionAutoApproved: Renaming(
            type: EventName.permissionResolved,
            properties: [("request_id", "requestID"), ("reply", ""), ("decided_by", ""), ("decided_at_ms", "")],
            constants: ["reply": "auto_approved"]
        ),
        EngineEventName.questionAsked: Renaming(
            type: EventName.questionRequest,
            properties: [("request_id", "id"), ("questions", "questions")]
        ),
        EngineEventName.questionReplied: Renaming(
            type: EventName.questionResolved,
            properties: [("request_id", "id"), ("ok", "ok"), ("answer", "answer")]
        ),
        EventName.streamConnected: Renaming(type: EventName.streamConnected, properties: [("attempt", "attempt")]),
        EventName.streamInterrupted: Renaming(
            type: EventName.streamInterrupted,
            properties: [("reason", "reason"), ("retry_in_ms", "retry_in_ms")]
        ),
        EventName.streamResynced: Renaming(
            type: EventName.streamResynced,
            properties: [
                ("gaps", "gaps"), ("duplicates", "duplicates"), ("truncated", "truncated"), ("healed", "healed"),
            ]
        ),
        EngineEventName.todoUpdated: Renaming(type: EventName.todoUpdated, properties: [("todos", "todos")]),
    ]
}

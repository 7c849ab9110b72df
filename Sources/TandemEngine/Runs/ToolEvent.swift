internal import TandemContract
internal import TandemJSON
internal import TandemProviders

/// What a run tells of its tools, in the engine's vocabulary.
enum ToolEvent: Equatable {
    enum State: String { case pending, running, completed, failed, denied }

    /// A step of a call; the arguments are empty while they are still being written.
    case part(id: String, tool: String, arguments: JSONText, State)
    /// A piece of a call that the model is writing, with the beginning of what it has written.
    case writing(id: String, tool: String, piece: String, soFar: String)
    case progress(ToolCall, JSONText)
    case ended(ToolCall, ToolOutcome)
    case argumentsRead(ToolCall)
    /// What the model wrote as arguments is none.
    case unreadable(ToolCall, String, error: String)
    case effect(ToolCall, Effect)
    case unoffered(tool: String, Round)
    case loopGuard(ToolCall)
    case requiredUnsatisfied(reason: String, Round)

    struct Effect: Equatable {
        let phase: String
        let status: String

        static let started = Effect(phase: "invocation", status: "started")
        static let unknown = Effect(phase: "outcome", status: "unknown")

        static func ended(_ state: ToolOutcome.State) -> Effect {
            switch state {
            case .completed: Effect(phase: "outcome", status: "succeeded")
            case .failed: Effect(phase: "outcome", status: "failed")
            case .denied: Effect(phase: "outcome", status: "blocked")
            }
        }
    }

    static func part(_ call: ToolCall, _ state: State) -> ToolEvent {
        .part(id: call.id, tool: call.name, arguments: call.arguments, state)
    }

    var type: String {
        switch self {
        case .part, .writing, .progress, .ended: EngineEventName.messagePartUpdated
        case .argumentsRead: EngineEventName.toolArgsNormalized
        case .unreadable: EngineEventName.toolArgsMissingTerminal
        case .effect: EngineEventName.toolEffectRecorded
        case .unoffered: EngineEventName.toolCallRejectedUnoffered
        case .loopGuard: EngineEventName.toolLoopGuardTriggered
        case .requiredUnsatisfied: EngineEventName.toolModeRequiredUnsatisfied
        }
    }

    /// Writes all members but the session's id.
    func write(to writer: inout JSONWriter, _ names: RunNames) {
        switch self {
        case .part(let id, let tool, let arguments, let state):
            ToolEvent.writePart(&writer, names, id, tool, arguments, state.rawValue)
        case .writing(let id, let tool, let piece, let soFar):
            writeWriting(&writer, names, (id, tool), piece, soFar)
        case .progress(let call, let chunk):
            ToolEvent.writePart(&writer, names, call.id, call.name, call.arguments, State.running.rawValue) {
                $0.member("progress", chunk)
            }
        case .ended(let call, let outcome):
            ToolEvent.writePart(&writer, names, call.id, call.name, call.arguments, outcome.state.rawValue) {
                $0.nullable("result", outcome.result)
                $0.optional("error", outcome.error)
            }
        default:
            writer.member("messageID", names.userMessageID)
            writeCheck(&writer)
        }
    }

    private func writeCheck(_ writer: inout JSONWriter) {
        switch self {
        case .argumentsRead(let call):
            let preview = ToolEvent.preview(call.arguments.text)
            writer.member("tool", call.name)
            writer.member("argsSource", "provider_json")
            writer.member("argsIntegrity", "ok")
            writer.member("rawArgsState", "present")
            writer.member("rawArgsPreview", preview)
            writer.member("normalizedArgsPreview", preview)
            writer.nullable("query", String?.none)
            writer.nullable("queryHash", String?.none)
            writer.nullable("requestID", String?.none)
        case .unreadable(let call, let written, let error):
            writer.member("tool", call.name)
            writer.member("error", error)
            writer.member("argsSource", "provider_json")
            writer.member("argsIntegrity", "invalid")
            writer.member("rawArgsState", "unparseable")
            writer.member("rawArgsPreview", ToolEvent.preview(written))
            writer.member("normalizedArgsPreview", call.arguments.text)
            writer.nullable("requestID", String?.none)
        case .effect(let call, let effect):
            writer.member("tool", call.name)
            writer.member(
                "record",
                object: { writer in
                    writer.member("phase", effect.phase)
                    writer.member("status", effect.status)
                    writer.member("tool_call_id", call.id)
                }
            )
        case .unoffered(let tool, let round):
            writer.member("tool", tool)
            writer.member("iteration", round.number)
            writer.member("offeredToolCount", round.offer.tools.count)
        case .loopGuard(let call):
            writer.member("tool", call.name)
            writer.member("iteration", call.round)
            writer.member("reason", "same_call_same_result")
        case .requiredUnsatisfied(let reason, let round):
            writer.member("iteration", round.number)
            writer.member("reason", reason)
            writer.member("selectedToolCount", round.offer.tools.count)
            writer.member("offeredToolsPreview", round.offer.names.prefix(8).joined(separator: ", "))
        default: break
        }
    }

    private func writeWriting(
        _ writer: inout JSONWriter,
        _ names: RunNames,
        _ call: (id: String, tool: String),
        _ piece: String,
        _ soFar: String
    ) {
        let parsed = (try? JSONText(checking: soFar)).flatMap { $0.kind == .object ? $0 : nil }
        ToolEvent.writePart(&writer, names, call.id, call.tool, parsed ?? .emptyObject, State.running.rawValue)
        writer.member(
            "toolCallDelta",
            object: { writer in
                writer.member("id", call.id)
                writer.member("tool", call.tool)
                writer.member("argsDelta", piece)
                writer.member("rawArgsPreview", soFar)
                writer.nullable("parsedArgsPreview", parsed)
            }
        )
    }

    private static func writePart(
        _ writer: inout JSONWriter,
        _ names: RunNames,
        _ id: String,
        _ tool: String,
        _ arguments: JSONText,
        _ state: String,
        _ more: (inout JSONWriter) -> Void = { _ in }
    ) {
        writer.member("runID", names.runID)
        writer.member(
            "part",
            object: { writer in
                writer.member("id", id)
                writer.member("sessionID", names.sessionID)
                writer.member("messageID", names.userMessageID)
                writer.member("type", "tool")
                writer.member("tool", tool)
                writer.member("args", arguments)
                writer.member("state", state)
                more(&writer)
            }
        )
    }

    static let previewCharacters = 1_000

    /// Written anew with each piece: only a beginning, or long arguments would take room by the square.
    static func preview(_ text: String) -> String {
        text.utf8.count <= previewCharacters ? text : String(text.prefix(previewCharacters))
    }
}

internal import TandemJSON

/// What became of a tool call on its way through rules and permissions to its tool.
///
/// Its event belongs to no session or run by its own members, only by `source`: streams of one do not have it.
struct ToolReceipt: Equatable {
    let call: ToolCall
    let phase: String
    let status: String
    let policy: String
    var error: String?

    static func allowed(_ call: ToolCall) -> ToolReceipt {
        ToolReceipt(call: call, phase: "policy_decision", status: "allowed", policy: "allowed")
    }

    static func refused(_ call: ToolCall, _ outcome: ToolOutcome) -> ToolReceipt {
        ToolReceipt(call: call, phase: "policy_decision", status: "blocked", policy: "denied", error: outcome.error)
    }

    static func started(_ call: ToolCall) -> ToolReceipt {
        ToolReceipt(call: call, phase: "invocation", status: "started", policy: "allowed")
    }

    static func ended(_ call: ToolCall, _ outcome: ToolOutcome) -> ToolReceipt {
        let status = ToolEvent.Effect.ended(outcome.state).status
        return ToolReceipt(call: call, phase: "outcome", status: status, policy: "allowed", error: outcome.error)
    }

    func properties(_ names: RunNames, _ prompt: Prompt) -> JSONText {
        JSONWriter.object { writer in
            writer.member("dispatch_id", "tool-dispatch-" + digest(names.runID + "\n" + call.id).prefix(24))
            writer.member("tool", call.name)
            writer.member("canonical_tool", ToolName.canonical(call.name))
            writer.member("receipt_phase", phase)
            writer.member("status", status)
            writer.member("policy_outcome", policy)
            writer.nullable("error", error)
            writer.member("payload_digest", "sha256:" + digest(call.arguments.text))
            writer.member(
                "scope_allowlist",
                array: { writer in for name in prompt.toolAllowlist ?? [] { writer.string(name) } }
            )
            writer.member("source", object: { writeSource(&$0, names) })
            writer.member("tenant_context", EngineContext.tenant)
        }
    }

    private func writeSource(_ writer: inout JSONWriter, _ names: RunNames) {
        writer.member("kind", "session_run")
        writer.member("session_id", names.sessionID)
        writer.member("run_id", names.runID)
        writer.member("message_id", names.userMessageID)
        writer.member("tool_call_id", call.id)
    }

    private func digest(_ text: String) -> String { SHA256.hexadecimal(text) }
}

internal import TandemContract
internal import TandemJSON

/// What `sessions.run` returns (contract/client.json, RunResult), and what of it could not be read whole.
struct RunResult: Sendable {
    private let state: RunState
    private let runID: String
    private let text: JSONText
    private var missing: [String] = []

    /// messages: the session's stored ones, where the stream did not bring the final text.
    init(_ state: RunState, runID: String, messages: Result<Reply, Failure>?) {
        self.state = state
        self.runID = runID
        let pieces = RunResult.string(state.text)
        if let messages {
            let stored = RunResult.answer(messages)
            text = stored ?? pieces
            if stored == nil { missing.append("text") }
        } else {
            text = pieces
            if state.isIncomplete, !state.hasMessage { missing.append("text") }
        }
        if state.isIncomplete { missing.append("tools") }
        if state.status == .completed, state.usage == nil { missing.append("usage") }
    }

    var json: JSONText {
        JSONWriter.object { writer in
            writer.member("text", text)
            writer.member("run_id", runID)
            writer.member("status", state.status.rawValue)
            writer.key("usage")
            if let usage = state.usage { usage.write(to: &writer) } else { writer.object { _ in } }
            writer.key("tools")
            state.tools.write(to: &writer)
            writer.optional("error", state.error)
            if missing.isEmpty { return }
            writer.member("missing", array: { writer in for name in missing { writer.string(name) } })
        }
    }

    private static func string(_ pieces: TextPieces) -> JSONText {
        var writer = JSONWriter()
        pieces.write(to: &writer)
        return writer.finish()
    }

    /// The last answer among stored messages, unless it is cut: a remote engine stores at most 16,000 bytes of a text.
    private static func answer(_ messages: Result<Reply, Failure>) -> JSONText? {
        guard case .success(let reply) = messages, reply.status < 300, let json = reply.json else { return nil }
        let last = json.elements.last { $0.at("info", "role")?.string == "assistant" }
        let texts = last?["parts"]?.elements.compactMap { $0["text"] } ?? []
        guard last != nil, !texts.contains(where: { $0.bytes.count >= cutBytes }) else { return nil }
        return JSONText(string: texts.compactMap(\.string).joined())
    }

    private static let cutBytes = 16_000
}

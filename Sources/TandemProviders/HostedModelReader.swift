package import TandemJSON

/// Model events out of what a host answers: pieces as they come, and at the end the whole or what is left to say.
package struct HostedModelReader {
    private let model: String
    private var calls = ToolCallAssembler()
    private var hasText = false
    private(set) var isOver = false

    /// `model` is the name that messages use.
    package init(model: String) { self.model = model }

    /// A piece: a text, or a `delta` as OpenAI's servers send it.
    package mutating func take(_ chunk: JSONText) -> [ModelEvent] {
        guard !isOver else { return [] }
        if let text = chunk.string { return take(text: text) }
        guard chunk.kind == .object else { return [fail("sent a piece that is neither text nor object")] }
        let text = ChatReply.text(ofMessage: chunk) ?? ""
        return take(text: text) + calls.take(chunk["tool_calls"])
    }

    /// The end: `{"message", "finish_reason", "usage"}`, of which the pieces leave nothing necessary.
    package mutating func end(_ reply: JSONText) -> [ModelEvent] {
        guard !isOver else { return [] }
        guard reply.kind == .object else { return [fail("answered with something that is no object")] }
        var events: [ModelEvent] = []
        if let message = reply["message"], !message.isNull {
            guard let given = self.given(message) else {
                return [fail("answered with a message that is neither text nor object")]
            }
            events += given
        }
        isOver = true
        if !calls.calls.isEmpty { events.append(.toolCalls(calls.calls)) }
        if let usage = ChatReply.usage(in: reply) { events.append(.usage(usage)) }
        return events + [.finished(reason: reply["finish_reason"]?.string)]
    }

    package mutating func end(_ failure: ModelFailure) -> [ModelEvent] {
        guard !isOver else { return [] }
        isOver = true
        return [.failed(failure)]
    }

    /// What the message has that the pieces had not.
    private mutating func given(_ message: JSONText) -> [ModelEvent]? {
        let text = message.string ?? ChatReply.text(ofMessage: message) ?? ""
        guard message.kind == .string || message.kind == .object else { return nil }
        let spoken = hasText ? [] : take(text: text)
        return spoken + (calls.calls.isEmpty ? calls.take(message["tool_calls"]) : [])
    }

    private mutating func take(text: String) -> [ModelEvent] {
        if text.isEmpty { return [] }
        hasText = true
        return [.text(text)]
    }

    private mutating func fail(_ what: String) -> ModelEvent {
        isOver = true
        return .failed(ModelFailure(.provider, "the host's model \(model) \(what)"))
    }
}

internal import TandemJSON
internal import TandemSystem

/// Readers of the objects that OpenAI-compatible servers send, in the forms that are met.
enum ChatReply {
    /// An error in a server's own words.
    struct ServerError: Equatable {
        let message: String
        let category: ModelFailure.Category
        let status: Int?
    }

    /// The text of a choice: of its delta, or of its message where the server does not stream.
    static func text(of choice: JSONText) -> String? {
        if let delta = choice["delta"], let text = text(ofMessage: delta) { return text }
        return choice["message"].flatMap(text(ofMessage:))
    }

    /// The text of a message or a delta: a string, or parts.
    static func text(ofMessage message: JSONText) -> String? {
        guard let content = message["content"] else { return nil }
        let text = content.string ?? content.elements.compactMap { $0.string ?? $0["text"]?.string }.joined()
        return text.isEmpty ? nil : text
    }

    /// The calls, or pieces of them, likewise.
    static func toolCalls(of choice: JSONText) -> JSONText? {
        choice.at("delta", "tool_calls") ?? choice.at("message", "tool_calls")
    }

    static func usage(in reply: JSONText) -> ModelUsage? {
        guard let usage = reply["usage"], usage.kind == .object else { return nil }
        let prompt = max(usage["prompt_tokens"]?.integer ?? 0, 0)
        let completion = max(usage["completion_tokens"]?.integer ?? 0, 0)
        let sum = prompt.addingReportingOverflow(completion)
        let total = usage["total_tokens"]?.integer ?? (sum.overflow ? .max : sum.partialValue)
        return ModelUsage(prompt: prompt, completion: completion, total: total)
    }

    /// The `error` member: an object with a message, or a text.
    static func error(in reply: JSONText) -> ServerError? {
        guard let error = reply["error"], !error.isNull, error.boolean != false else { return nil }
        let message = error["message"]?.string ?? error.string ?? error.text
        let code = error["code"].flatMap { $0.string ?? $0.integer.map { String($0) } } ?? ""
        let type = error["type"]?.string ?? ""
        let category = category(status: Int(code), words: code + " " + type + " " + message)
        return ServerError(message: shortened(message), category: category, status: Int(code))
    }

    /// What a status, and the words that came with it, mean for a caller.
    static func category(status: Int?, words: String) -> ModelFailure.Category {
        let words = words.lowercased()
        func mentions(_ phrases: [String]) -> Bool { phrases.contains { words.contains(text: $0) } }
        switch status {
        case 401, 403: return .authentication
        case 429: return .rateLimited
        case 408, 504: return .timeout
        default: break
        }
        if mentions(contextPhrases) { return .contextLength }
        if mentions(["invalid_api_key", "authentication_error"]) { return .authentication }
        if mentions(["rate_limit_exceeded", "rate_limit_error"]) { return .rateLimited }
        return .provider
    }

    /// How servers say that a conversation is too long, OpenAI, llama.cpp, vLLM and Anthropic among them.
    private static let contextPhrases = [
        "context_length", "context length", "context size", "context_size", "context window", "maximum context",
        "prompt is too long",
    ]

    /// At most 500 bytes, cut between characters, on one line.
    static func shortened(_ text: String) -> String {
        var result = ""
        for character in text {
            let kept = character.isNewline || character == "\t" ? " " : character
            if result.utf8.count + kept.utf8.count > 500 { break }
            result.append(kept)
        }
        return result
    }
}

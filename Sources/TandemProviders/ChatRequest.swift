internal import TandemJSON

/// The body of a request to `/chat/completions`.
enum ChatRequest {
    static func body(_ request: ModelRequest) -> [UInt8] {
        let isReasoning = ChatRequest.isReasoning(request.model)
        let json = JSONWriter.object { json in
            json.member("model", request.model)
            json.member(
                "messages",
                array: { json in
                    for message in request.messages { write(message, into: &json) }
                }
            )
            json.member("stream", true)
            json.member("stream_options", object: { $0.member("include_usage", true) })
            if let tokens = request.maxTokens {
                json.member(isReasoning ? "max_completion_tokens" : "max_tokens", tokens)
            }
            if isReasoning { return }
            json.optional("temperature", request.temperature)
            json.optional("top_p", request.topP)
        }
        return Array(json.bytes)
    }

    private static func write(_ message: ModelMessage, into json: inout JSONWriter) {
        json.object { json in
            json.member("role", message.role.rawValue)
            json.member("content", message.content)
        }
    }

    /// OpenAI's models that refuse sampling parameters and count their thoughts as completion.
    private static func isReasoning(_ model: String) -> Bool {
        model == "o1" || model == "o3" || ["o1-", "o3-", "o4-", "gpt-5"].contains { model.hasPrefix($0) }
    }
}

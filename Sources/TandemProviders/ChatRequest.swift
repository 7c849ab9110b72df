package import TandemJSON

/// The body of a request to `/chat/completions`.
package enum ChatRequest {
    package static func json(_ request: ModelRequest) -> JSONText {
        let isReasoning = ChatRequest.isReasoning(request.model)
        let names = ToolAliases(request.tools)
        return JSONWriter.object { json in
            json.member("model", request.model)
            json.member(
                "messages",
                array: { json in
                    for message in request.messages { write(message, names, into: &json) }
                }
            )
            json.member("stream", true)
            json.member("stream_options", object: { $0.member("include_usage", true) })
            writeTools(request, names, into: &json)
            if let tokens = request.maxTokens {
                json.member(isReasoning ? "max_completion_tokens" : "max_tokens", tokens)
            }
            if isReasoning { return }
            json.optional("temperature", request.temperature)
            json.optional("top_p", request.topP)
        }
    }

    private static func write(_ message: ModelMessage, _ names: ToolAliases, into json: inout JSONWriter) {
        json.object { json in
            json.member("role", message.role.rawValue)
            if message.calls.isEmpty || !message.content.isEmpty {
                json.member("content", message.content)
            } else {
                json.member("content", JSONText.null)
            }
            json.optional("tool_call_id", message.callID)
            if message.calls.isEmpty { return }
            json.member(
                "tool_calls",
                array: { json in
                    for call in message.calls { write(call, names, into: &json) }
                }
            )
        }
    }

    private static func write(_ call: ModelToolCall, _ names: ToolAliases, into json: inout JSONWriter) {
        json.object { json in
            json.member("id", call.id)
            json.member("type", "function")
            json.member(
                "function",
                object: { json in
                    json.member("name", names.alias(of: call.name))
                    json.member("arguments", call.arguments)
                }
            )
        }
    }

    /// A request without tools names none: some servers refuse an empty list.
    private static func writeTools(_ request: ModelRequest, _ names: ToolAliases, into json: inout JSONWriter) {
        if request.tools.isEmpty { return }
        json.member(
            "tools",
            array: { json in
                for tool in request.tools {
                    json.object { json in
                        json.member("type", "function")
                        json.member(
                            "function",
                            object: { json in
                                json.member("name", names.alias(of: tool.name))
                                json.member("description", tool.description)
                                json.member("parameters", tool.parameters)
                            }
                        )
                    }
                }
            }
        )
        json.member("tool_choice", request.mustCall ? "required" : "auto")
    }

    /// OpenAI's models that refuse sampling parameters and count their thoughts as completion.
    private static func isReasoning(_ model: String) -> Bool {
        model == "o1" || model == "o3" || ["o1-", "o3-", "o4-", "gpt-5"].contains { model.hasPrefix($0) }
    }
}

/// One step of a model's answer.
package enum ModelEvent: Equatable, Sendable {
    /// A piece of the answer's text, never empty.
    case text(String)
    /// A piece of a tool call that is being written.
    case toolCallDelta(ModelToolDelta)
    /// All calls of the answer, whole; at most once, after all pieces.
    case toolCalls([ModelToolCall])
    /// At most one, right before `finished`.
    case usage(ModelUsage)
    /// The answer is complete; the reason is the server's word for it ("stop", "length").
    case finished(reason: String?)
    case failed(ModelFailure)

    package var isLast: Bool {
        switch self {
        case .text, .toolCallDelta, .toolCalls, .usage: false
        case .finished, .failed: true
        }
    }
}

/// The tokens that an answer took.
package struct ModelUsage: Equatable, Sendable {
    package let prompt: Int64
    package let completion: Int64
    package let total: Int64

    package init(prompt: Int64, completion: Int64, total: Int64) {
        self.prompt = prompt
        self.completion = completion
        self.total = total
    }
}

/// Why there is no answer, or only a part of one.
///
/// The message names the server and shows no key.
package struct ModelFailure: Error, Equatable, Sendable {
    /// The names are those of contract/errors.json.
    package enum Category: String, Sendable {
        case provider = "provider_error"
        case authentication = "provider_auth"
        case rateLimited = "provider_rate_limited"
        case contextLength = "context_length_exceeded"
        case timeout
        case cancelled
        case hostFailed = "host_failed"
        case hostTimeout = "host_timeout"
    }

    package let category: Category
    package let message: String
    /// The status of the server's answer, if it gave one that means failure.
    package let status: Int?
    package let retryAfterMilliseconds: Int64?

    package init(
        _ category: Category,
        _ message: String,
        status: Int? = nil,
        retryAfterMilliseconds: Int64? = nil
    ) {
        self.category = category
        self.message = message
        self.status = status
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }
}

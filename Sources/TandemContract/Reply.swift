package import TandemJSON

/// What a backend answers, in the shape that the wire has.
package struct Reply: Sendable, Equatable {
    package enum Body: Sendable, Equatable {
        case none
        case json(JSONText)
        case text(String)
        case bytes([UInt8])
    }

    package let status: Int
    package let headers: [Request.Field]
    package let body: Body
    /// How long the engine asks to wait before the next try.
    package let retryAfterMilliseconds: Int64?

    package init(
        status: Int,
        headers: [Request.Field] = [],
        body: Body,
        retryAfterMilliseconds: Int64? = nil
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.retryAfterMilliseconds = retryAfterMilliseconds
    }

    /// A JSON reply, with status 200 unless another is given.
    package static func json(_ value: JSONText, status: Int = 200) -> Reply {
        Reply(status: status, body: .json(value))
    }

    package static func empty(_ status: Int) -> Reply { Reply(status: status, body: .none) }

    /// The engine's error envelope.
    package static func refusal(_ status: Int, code: String, message: String, retryable: Bool = false) -> Reply {
        .json(
            JSONWriter.object { writer in
                writer.member("error", message)
                writer.member("code", code)
                writer.member("retryable", retryable)
            },
            status: status
        )
    }

    package var json: JSONText? { if case .json(let value) = body { value } else { nil } }
}

package import TandemJSON

/// Why an operation has no result, in the one shape that callers see (contract/errors.json).
package struct Failure: Error, Sendable, Equatable {
    package let name: FailureName
    package let message: String
    /// The HTTP status, where there was one.
    package let status: Int?
    package let isRetryable: Bool
    package let detail: JSONText?

    package init(
        _ name: FailureName,
        _ message: String,
        status: Int? = nil,
        isRetryable: Bool? = nil,
        detail: JSONText? = nil
    ) {
        self.name = name
        self.message = message
        self.status = status
        self.isRetryable = isRetryable ?? name.isRetryable
        self.detail = detail
    }

    package init(_ error: JSONError, in what: String) {
        self.init(
            error.isLimit ? .limit : .invalidJson,
            "\(what) is not acceptable JSON: \(error.message), at byte \(error.offset)",
            detail: JSONWriter.object { $0.member("offset", error.offset) }
        )
    }

    /// The error as callers see it: `{"error": {…}}`.
    package func json(operation: String?) -> JSONText { JSONWriter.object { write(to: &$0, operation: operation) } }

    /// Writes the member `error`.
    package func write(to writer: inout JSONWriter, operation: String?) {
        writer.member(
            "error",
            object: { writer in
                writer.member("code", Int64(name.code))
                writer.member("name", name.rawValue)
                writer.member("message", message)
                writer.nullable("status", status.map { Int64($0) })
                writer.member("retryable", isRetryable)
                writer.nullable("op", operation)
                writer.nullable("detail", detail)
            }
        )
    }
}

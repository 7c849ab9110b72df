internal import TandemProviders

/// Why a run has no answer.
struct RunFailure: Error, Equatable {
    let code: String
    let message: String
    /// The engine's word for what kind of failure it is.
    let category: String

    static func dispatch(_ message: String, category: String = "provider") -> RunFailure {
        RunFailure(code: "ENGINE_DISPATCH_FAILED", message: message, category: category)
    }

    static let timeout = RunFailure(
        code: "ENGINE_TIMEOUT",
        message: "the run took longer than 600 seconds",
        category: "timeout"
    )

    static let interrupted = RunFailure(
        code: "INTERRUPTED",
        message: "the process ended while the run was going on",
        category: "runtime"
    )

    static func state(_ reason: String) -> RunFailure {
        RunFailure(code: "PERSISTENCE_FAILED", message: reason, category: "runtime")
    }

    static func missing(_ provider: String, configured: [String]) -> RunFailure {
        let others =
            configured.isEmpty ? "no provider is configured" : "configured: " + configured.joined(separator: ", ")
        return .dispatch("provider `\(provider)` is not configured; \(others)", category: "missing_connection")
    }

    /// The engine loses the status of a provider's answer; here each kind keeps a code of its own.
    init(_ failure: ModelFailure) {
        message = failure.message
        switch failure.category {
        case .authentication: (code, category) = ("AUTHENTICATION_ERROR", "authentication")
        case .rateLimited: (code, category) = ("RATE_LIMIT_EXCEEDED", "provider")
        case .contextLength: (code, category) = ("CONTEXT_LENGTH_EXCEEDED", "provider")
        case .timeout: (code, category) = ("ENGINE_TIMEOUT", "timeout")
        case .hostFailed: (code, category) = ("HOST_FAILED", "provider")
        case .hostTimeout: (code, category) = ("HOST_TIMEOUT", "timeout")
        case .provider, .cancelled:
            code = (failure.status ?? 0) >= 500 ? "PROVIDER_SERVER_ERROR" : "ENGINE_DISPATCH_FAILED"
            category = "provider"
        }
    }

    init(code: String, message: String, category: String) {
        self.code = code
        self.message = message
        self.category = category
    }

    /// What the message list shows of the failure; it is not sent to a model.
    var notice: String { "ENGINE_ERROR: \(code): \(message)" }
}

// Placeholder of the skeleton: tandem-generate writes this file.
package enum FailureName: String, Sendable, CaseIterable {
    case invalidArgument = "invalid_argument", unknownArgument = "unknown_argument", invalidJson = "invalid_json"
    case notFound = "not_found", limit, timeout, cancelled, internalError = "internal", notSupported = "not_supported"
    case stateLocked = "state_locked", stateCorrupt = "state_corrupt", stateFull = "state_full"
    case runConflict = "run_conflict", idempotencyConflict = "idempotency_conflict", validationFailed =
        "validation_failed"
    case interrupted, providerError = "provider_error", providerAuth = "provider_auth", closed
    package var code: Int32 { -9 }
    package var isRetryable: Bool { false }
}

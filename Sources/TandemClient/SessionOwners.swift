/// Which operation the host calls of a session belong to (tandem.h, tandem_provide): a value.
///
/// The run's owner (`sessions.run`, `prompt_sync`), else the oldest open stream on the session, else none.
struct SessionOwners: Sendable {
    private struct Owner: Sendable {
        let operation: UInt64
        let ownsRun: Bool
        /// Answers the session's permissions and questions itself, by its own policy.
        let answers: Bool
    }

    private var owners: [String: [Owner]] = [:]
    private var sessions: [UInt64: String] = [:]

    mutating func begin(_ operation: UInt64, session: String, ownsRun: Bool, answers: Bool = false) {
        owners[session, default: []].append(Owner(operation: operation, ownsRun: ownsRun, answers: answers))
        sessions[operation] = session
    }

    mutating func end(_ operation: UInt64) {
        guard let session = sessions.removeValue(forKey: operation) else { return }
        owners[session]?.removeAll { $0.operation == operation }
        if owners[session]?.isEmpty ?? false { owners[session] = nil }
    }

    /// The operation that a host call of the session belongs to; nil: none, pump and next only.
    func owner(of session: String) -> UInt64? {
        guard let found = owners[session] else { return nil }
        return (found.first { $0.ownsRun } ?? found.first)?.operation
    }

    /// Whether an operation answers what the session asks, so that nobody else has to.
    func isAnswered(_ session: String) -> Bool { owners[session]?.contains { $0.answers } ?? false }
}

internal import TandemContract
internal import TandemJSON

/// Whether and when a request that failed is sent again: a value, so that its rules are a table.
struct RetryPolicy: Sendable, Equatable {
    enum Decision: Equatable {
        case giveUp
        case wait(milliseconds: Int64)
    }

    let retries: Int64
    /// The engine may be asked twice for the same thing.
    let isRepeatable: Bool

    static let firstMilliseconds: Int64 = 500
    static let longestMilliseconds: Int64 = 8_000

    init(_ operation: Operation, _ options: CallOptions) {
        self.init(retries: options.retries, isRepeatable: operation.retry != .never)
    }

    init(retries: Int64, isRepeatable: Bool) {
        self.retries = retries
        self.isRepeatable = isRepeatable
    }

    /// After the `attempt`th try, counted from 1; `random` is any number.
    func decision(_ failure: Failure, attempt: Int64, millisecondsLeft: Int64?, random: UInt64) -> Decision {
        guard retries > 0, mayRetry(failure, attempt) else { return .giveUp }
        let asked = failure.detail?["retry_after_ms"]?.integer
        let delay = asked ?? RetryPolicy.delay(attempt, random)
        if let millisecondsLeft, delay >= millisecondsLeft { return .giveUp }
        return .wait(milliseconds: delay)
    }

    private func mayRetry(_ failure: Failure, _ attempt: Int64) -> Bool {
        switch failure.name {
        // The engine has not looked at the request; it says so for as long as it starts.
        case .engineStarting: true
        case .engineUnavailable, .rateLimited, .engineError:
            isRepeatable && failure.isRetryable && attempt <= retries
        default: false
        }
    }

    /// Half of the step is fixed, half is chance: clients that failed together come back one by one.
    private static func delay(_ attempt: Int64, _ random: UInt64) -> Int64 {
        let step = min(firstMilliseconds << min(max(attempt - 1, 0), 10), longestMilliseconds)
        return step / 2 + Int64(random % UInt64(step / 2 + 1))
    }
}

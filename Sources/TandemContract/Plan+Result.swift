package import TandemJSON

// From a reply to what the caller gets.
extension Plan {
    /// By the operation's rule, then its recipe's, then what the call's own arguments ask for.
    package func result(
        of reply: Reply,
        _ operation: Operation,
        now milliseconds: Int64
    ) -> Result<JSONText, Failure> {
        if options.isStrict { return operation.result(of: reply, isStrict: true) }
        let result = operation.result(of: Recipe.accepted(reply, operation)).flatMap {
            Recipe.finish($0, operation, now: milliseconds)
        }
        switch result {
        case .success(let value):
            let kept = filter?.applied(to: value) ?? value
            return .success(restoresKeys ? ResourceKey.restored(in: kept) : kept)
        case .failure(let failure): return .failure(restoresKeys ? failure.withRestoredKey : failure)
        }
    }
}

extension Failure {
    fileprivate var withRestoredKey: Failure {
        Failure(
            name,
            message,
            status: status,
            isRetryable: isRetryable,
            detail: detail.map { ResourceKey.restored(in: $0) }
        )
    }
}

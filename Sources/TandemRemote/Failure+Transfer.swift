internal import TandemContract
internal import TandemHTTP
internal import TandemJSON

extension Failure {
    /// What a transfer that did not come to its end means to a caller.
    init(_ error: TransferError) {
        let name: FailureName =
            switch error.code {
            case .resolve, .connect, .cut, .other: .engineUnavailable
            case .timedOut, .idle: .timeout
            case .tls: .tls
            case .tooLarge: .limit
            case .cancelled: .cancelled
            case .protocol: .protocol
            }
        self.init(name, error.message)
    }

    static let remoteCancelled = Failure(
        .cancelled,
        "the operation was cancelled",
        detail: JSONWriter.object { $0.member("sent", true) }
    )
    static let remoteTimeout = Failure(
        .timeout,
        "time ran out",
        detail: JSONWriter.object { $0.member("sent", true) }
    )
}

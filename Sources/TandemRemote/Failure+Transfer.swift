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
        let isStopped = name == .cancelled || name == .timeout
        self.init(name, error.message, detail: isStopped ? Failure.sentDetail(true) : nil)
    }

    static func sentDetail(_ wasSent: Bool) -> JSONText { JSONWriter.object { $0.member("sent", wasSent) } }

    static let remoteCancelled = Failure(.cancelled, "the operation was cancelled", detail: sentDetail(true))
    static let cancelledBeforeSending = Failure(
        .cancelled,
        "the operation was cancelled",
        detail: sentDetail(false)
    )
}

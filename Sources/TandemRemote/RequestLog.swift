internal import TandemContract
internal import TandemHTTP
internal import TandemJSON

/// Tells the log of requests, in words of our own, numbers and identifiers.
///
/// Headers, bodies, and messages of servers, which may say them back, stay out.
struct RequestLog: Sendable {
    private let log: RemoteLog?
    private let path: LoggedPath

    private static let warning: Int32 = 2
    private static let information: Int32 = 3
    private static let detail: Int32 = 4

    init(_ configuration: RemoteConfiguration) {
        log = configuration.log
        path = LoggedPath(base: configuration.address.base)
    }

    func ended(
        _ operation: Operation,
        _ http: HTTPRequest,
        _ attempt: Attempt,
        _ outcome: Result<HTTPResponse, TransferError>
    ) {
        write(RequestLog.detail, "request") { writer in
            begin(&writer, operation, http, attempt)
            writer.member("bytes_sent", Int64(http.body?.count ?? 0))
            switch outcome {
            case .success(let response):
                writer.member("status", response.head.status)
                writer.member("bytes_received", response.body.count)
            case .failure(let error): writer.member("failure", error.code.rawValue)
            }
        }
        guard let complaint = RequestLog.complaint(outcome) else { return }
        write(RequestLog.warning, complaint) { writer in
            begin(&writer, operation, http, attempt)
            switch outcome {
            case .success(let response): writer.member("status", response.head.status)
            case .failure(let error): writer.member("failure", error.code.rawValue)
            }
        }
    }

    func repeats(_ operation: Operation, _ failure: Failure, _ attempt: Attempt, inMilliseconds delay: Int64) {
        write(RequestLog.information, "a request is sent again") { writer in
            writer.member("operation", operation.name)
            writer.member("attempt", attempt.number)
            writer.member("failure", failure.name.rawValue)
            writer.optional("status", failure.status.map { Int64($0) })
            writer.member("retry_in_ms", delay)
        }
    }

    func streamBegan(_ operation: Operation, _ http: HTTPRequest, _ attempt: Attempt) {
        write(RequestLog.detail, "a stream began") { begin(&$0, operation, http, attempt) }
    }

    /// A stream is over; `failure`: how, where it did not end by itself.
    func streamEnded(_ operation: Operation, _ http: HTTPRequest, _ attempt: Attempt, _ failure: Failure?) {
        let level = failure == nil ? RequestLog.information : RequestLog.warning
        let broken = failure?.status == nil ? "a stream's connection was lost" : "a stream was refused"
        write(level, failure == nil ? "a stream ended" : broken) { writer in
            begin(&writer, operation, http, attempt)
            writer.optional("status", failure?.status.map { Int64($0) })
            writer.optional("failure", failure?.name.rawValue)
        }
    }

    private func begin(
        _ writer: inout JSONWriter,
        _ operation: Operation,
        _ http: HTTPRequest,
        _ attempt: Attempt
    ) {
        writer.member("operation", operation.name)
        writer.member("method", http.method)
        writer.member("path", path.text(of: http.url, operation.path))
        writer.member("attempt", attempt.number)
        writer.member("duration_ms", Int64(clamping: attempt.microseconds / 1_000))
    }

    private static func complaint(_ outcome: Result<HTTPResponse, TransferError>) -> String? {
        switch outcome {
        case .failure(let error):
            switch error.code {
            case .cancelled: nil
            case .cut: "a connection was lost"
            default: "a request failed"
            }
        case .success(let response):
            switch response.head.status {
            case 300..<400: "a redirect was refused"
            case 429, 500...: "the engine failed a request"
            default: nil
            }
        }
    }

    private func write(_ level: Int32, _ message: String, _ fields: (inout JSONWriter) -> Void) {
        guard let log, log.isOn(level) else { return }
        log.write(level, message, JSONWriter.object(fields))
    }
}

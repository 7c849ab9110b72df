internal import TandemHTTP
internal import TandemJSON
internal import TandemSystem

/// Counts for `tandem_stats`.
final class Meter: Sendable {
    private struct Counts {
        var requests: Int64 = 0
        var retries: Int64 = 0
        var failures: Int64 = 0
        var received: Int64 = 0
        var skippedFrames: Int64 = 0
    }

    private let counts = Lock(Counts())

    func began(isRetry: Bool) {
        counts.withLock { counts in
            counts.requests += 1
            if isRetry { counts.retries += 1 }
        }
    }

    func ended(_ outcome: Result<HTTPResponse, TransferError>) {
        counts.withLock { counts in
            switch outcome {
            case .success(let response): counts.received += Int64(response.body.count)
            case .failure: counts.failures += 1
            }
        }
    }

    func streamed(_ bytes: Int) { counts.withLock { $0.received += Int64(bytes) } }

    func skippedFrames(_ count: Int) { if count > 0 { counts.withLock { $0.skippedFrames += Int64(count) } } }

    func write(to writer: inout JSONWriter) {
        let counts = counts.withLock { $0 }
        writer.member("requests", counts.requests)
        writer.member("retries", counts.retries)
        writer.member("transfers_failed", counts.failures)
        writer.member("bytes_received", counts.received)
        writer.member("frames_skipped", counts.skippedFrames)
    }
}

internal import TandemHTTP
internal import TandemJSON
internal import TandemSystem

/// Counts for `tandem_stats`.
final class Meter: Sendable {
    private struct Counts {
        var requests: Int64 = 0
        var retries: Int64 = 0
        var failures: Int64 = 0
        var skippedFrames: Int64 = 0
    }

    let traffic = Traffic()
    private let counts = Lock(Counts())
    private let latencies = Lock(LatencyHistogram())

    func began(isRetry: Bool) {
        counts.withLock { counts in
            counts.requests += 1
            if isRetry { counts.retries += 1 }
        }
    }

    func answered(microseconds: UInt64) { latencies.withLock { $0.record(microseconds) } }

    func failed() { counts.withLock { $0.failures += 1 } }

    func skippedFrames(_ count: Int) { if count > 0 { counts.withLock { $0.skippedFrames += Int64(count) } } }

    func write(to writer: inout JSONWriter) {
        let counts = counts.withLock { $0 }
        let traffic = traffic.counts
        writer.member("requests", counts.requests)
        writer.member("retries", counts.retries)
        writer.member("transfers_failed", counts.failures)
        writer.member("connections_opened", traffic.connectionsOpened)
        writer.member("connections_open", traffic.connectionsOpen)
        writer.member("bytes_sent", traffic.bytesSent)
        writer.member("bytes_received", traffic.bytesReceived)
        writer.member("frames_skipped", counts.skippedFrames)
        // Numbers, not a copy of the histogram: that would make the next record copy all of it.
        let latencies = latencies.withLock { [$0.percentile(50), $0.percentile(90), $0.percentile(99), $0.longest] }
        for (name, latency) in zip(["p50", "p90", "p99", "max"], latencies) {
            writer.nullable("latency_\(name)_us", latency.map { Int64(clamping: $0) })
        }
    }
}

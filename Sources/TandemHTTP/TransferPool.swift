package import TandemSystem

/// Blocking transfers on the threads of those who ask, over connections that stay open between them.
package final class TransferPool: Sendable {
    private struct State {
        var idle: [TransferLine] = []
        var isClosed = false
    }

    private let state = Lock(State())
    private let traffic: Traffic

    /// Lines kept for the next callers.
    private static let keptLines = 16

    package init(_ traffic: Traffic = Traffic()) { self.traffic = traffic }

    /// Sends a request and waits for the whole answer; `stop` ends it within milliseconds.
    package func run(
        _ request: HTTPRequest,
        until deadline: Deadline,
        _ stop: TransferStop
    ) -> Result<HTTPResponse, TransferError> {
        guard let line = state.withLock({ $0.idle.popLast() }) ?? TransferLine(traffic) else {
            let server = ServerAddress(url: request.url)
            return .failure(TransferError(.other, "\(server): no memory or descriptor for a transfer"))
        }
        let result = line.run(request, until: deadline, stop)
        state.withLock { state in
            if !state.isClosed, state.idle.count < TransferPool.keptLines { state.idle.append(line) }
        }
        return result
    }

    /// Closes the connections; those in use follow when their transfers end.
    package func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        _ = consume idle
    }
}

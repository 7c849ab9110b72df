internal import TandemSystem

/// Ends a blocking transfer from another thread; good for one transfer after the other.
package final class TransferStop: Sendable {
    private struct State {
        var isStopped = false
        var line: TransferLine?
    }

    private let state = Lock(State())

    package init() {}

    package var isStopped: Bool { state.withLock { $0.isStopped } }

    package func stop() {
        // Woken under the lock: the line may not be closed meanwhile. It calls nothing back.
        state.withLock { state in
            state.isStopped = true
            state.line?.wake()
        }
    }

    func attach(_ line: TransferLine?) { state.withLock { $0.line = line } }
}

package import TandemSystem

/// One operation under way: its deadline, and whether the caller still wants it.
package final class Call: Sendable {
    private struct State {
        var isCancelled = false
        var isOver = false
        var isSent = true
        var onCancel: (@Sendable () -> Void)?
        var onResume: (@Sendable () -> Void)?

        mutating func forget() {
            onCancel = nil
            onResume = nil
        }
    }

    package let deadline: Deadline
    package let options: CallOptions
    private let state = Lock(State())

    package init(deadline: Deadline, options: CallOptions = CallOptions()) {
        self.deadline = deadline
        self.options = options
    }

    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Whether its request has left; a backend that holds requests back says when it has not.
    package var isSent: Bool { state.withLock { $0.isSent } }

    package func mark(sent isSent: Bool) { state.withLock { $0.isSent = isSent } }

    /// What cancelling has to stop; runs at once when the call is cancelled already, at most once in all.
    package func whenCancelled(_ body: @escaping @Sendable () -> Void) {
        let isLate = state.withLock { state in
            if !state.isCancelled, !state.isOver { state.onCancel = body }
            return state.isCancelled
        }
        if isLate { body() }
    }

    /// What has to happen when a stream's consumer, having been behind, has room again.
    package func whenResumed(_ body: @escaping @Sendable () -> Void) {
        state.withLock { state in
            if !state.isCancelled, !state.isOver { state.onResume = body }
        }
    }

    package func cancel() {
        let body = state.withLock { state in
            state.isCancelled = true
            defer { state.forget() }
            return state.onCancel
        }
        body?()
    }

    /// It is over by itself: what it held for the backend is let go, which else would hold the call in turn.
    package func finish() {
        state.withLock { state in
            state.isOver = true
            state.forget()
        }
    }

    package func resume() { state.withLock { $0.onResume }?() }
}

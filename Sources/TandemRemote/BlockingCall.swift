internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// A call on its caller's thread: transfers and pauses, which a cancel ends at once.
struct BlockingCall: Sendable {
    private let stop = TransferStop()
    private let state = Monitor((isCancelled: false, isReady: false))
    let deadline: Deadline

    init(_ call: Call) {
        deadline = call.deadline
        call.whenCancelled { [stop, state] in
            stop.stop()
            state.change { $0.isCancelled = true }
        }
    }

    func transfer(_ request: HTTPRequest, over pool: TransferPool) -> Result<HTTPResponse, TransferError> {
        pool.run(request, until: deadline, stop)
    }

    /// False when the call was cancelled meanwhile.
    func pause(milliseconds: Int64) -> Bool {
        state.wait(until: Deadline(afterMilliseconds: milliseconds)) { $0.isCancelled ? true : nil } == nil
    }

    /// Waits until what `begin` was given is called; false when the call was cancelled or its time ran out meanwhile.
    func await(_ begin: (@escaping @Sendable () -> Void) -> Void) -> Bool {
        begin { [state] in state.change { $0.isReady = true } }
        let isReady = state.wait(until: deadline) { $0.isCancelled ? false : $0.isReady ? true : nil }
        return isReady ?? false
    }
}

internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// A call on its caller's thread: transfers and pauses, which a cancel ends at once.
struct BlockingCall: Sendable {
    private let stop = TransferStop()
    private let isCancelled = Monitor(false)
    let deadline: Deadline

    init(_ call: Call) {
        deadline = call.deadline
        call.whenCancelled { [stop, isCancelled] in
            stop.stop()
            isCancelled.change { $0 = true }
        }
    }

    func transfer(_ request: HTTPRequest, over pool: TransferPool) -> Result<HTTPResponse, TransferError> {
        pool.run(request, until: deadline, stop)
    }

    /// False when the call was cancelled meanwhile.
    func pause(milliseconds: Int64) -> Bool {
        isCancelled.wait(until: Deadline(afterMilliseconds: milliseconds)) { $0 ? true : nil } == nil
    }
}

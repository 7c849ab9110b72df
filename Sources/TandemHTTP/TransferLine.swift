internal import CCurl
internal import TandemSystem

/// One thread's way to servers: an easy handle in a multi handle of its own, with the connections that it keeps.
///
/// Not curl_easy_perform, which notices a cancel only after half a second. Used by one thread at a time; `wake` alone may
/// come from any other.
@safe final class TransferLine: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer
    private let easy: EasyHandle
    private let traffic: Traffic

    /// Connections kept open for the next request.
    private static let keptConnections = 4
    /// Curl wakes earlier by itself; this bounds what a lost wakeup would cost.
    private static let longestPollMilliseconds: Int64 = 60_000

    init?(_ traffic: Traffic) {
        guard CurlLibrary.isReady, let easy = EasyHandle(), let multi = unsafe CurlLibrary.makeMulti() else {
            return nil
        }
        self.easy = easy
        self.traffic = traffic
        unsafe self.multi = multi
        unsafe tandem_curl_multi_setopt_long(multi, CURLMOPT_MAXCONNECTS, TransferLine.keptConnections)
    }

    deinit { unsafe curl_multi_cleanup(multi) }

    func wake() { unsafe curl_multi_wakeup(multi) }

    /// Runs one request to its end on the calling thread.
    func run(_ request: HTTPRequest, until deadline: Deadline, _ stop: TransferStop) -> Result<
        HTTPResponse, TransferError
    > {
        let transfer = Transfer(TransferID(number: 0), request, Unheard.shared, nil, traffic)
        if let flaw = request.flaw { return .failure(TransferError(.protocol, "\(transfer.server): \(flaw)")) }
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        transfer.easy = easy
        defer {
            transfer.countSent()
            transfer.easy = nil
            easy.reset()
        }
        guard unsafe easy.prepare(request, context: context, traffic),
            unsafe curl_multi_add_handle(multi, easy.raw) == CURLM_OK
        else { return .failure(TransferError(.protocol, "\(transfer.server): the request cannot be sent")) }
        stop.attach(self)
        defer {
            stop.attach(nil)
            unsafe curl_multi_remove_handle(multi, easy.raw)
        }
        return withExtendedLifetime(transfer) { drive(transfer, until: deadline, stop) }
    }

    private func drive(
        _ transfer: Transfer,
        until deadline: Deadline,
        _ stop: TransferStop
    ) -> Result<HTTPResponse, TransferError> {
        while true {
            if stop.isStopped {
                return .failure(TransferError(.cancelled, "the transfer from \(transfer.server) was cancelled"))
            }
            var running: Int32 = 0
            unsafe curl_multi_perform(multi, &running)
            if running == 0 { return result(of: transfer) }
            let idleEnd = transfer.idleEnd()
            if deadline.hasPassed {
                return .failure(TransferError(.timedOut, "\(transfer.server) did not finish its answer in time"))
            }
            if idleEnd?.hasPassed == true {
                return .failure(TransferError(.idle, "\(transfer.server) sent nothing for too long"))
            }
            let left = min(
                deadline.millisecondsLeft ?? TransferLine.longestPollMilliseconds,
                idleEnd?.millisecondsLeft ?? TransferLine.longestPollMilliseconds,
                TransferLine.longestPollMilliseconds
            )
            unsafe curl_multi_poll(multi, nil, 0, Int32(clamping: left), nil)
        }
    }

    private func result(of transfer: Transfer) -> Result<HTTPResponse, TransferError> {
        var left: Int32 = 0
        guard let message = unsafe curl_multi_info_read(multi, &left) else {
            return .failure(TransferError(.other, "\(transfer.server): curl lost the transfer"))
        }
        if let failure = transfer.failure { return .failure(failure) }
        let result = unsafe tandem_curl_message_result(message)
        let (head, body) = transfer.collected()
        // A connection that ends inside the head is no error to curl.
        guard result == CURLE_OK, let head else {
            return .failure(
                TransferError(
                    result == CURLE_OK ? CURLE_GOT_NOTHING : result,
                    server: transfer.server,
                    systemError: easy.systemError,
                    detail: easy.detail
                )
            )
        }
        return .success(HTTPResponse(head: head, body: body))
    }
}

/// The receiver of a transfer whose answer is collected.
private final class Unheard: TransferReceiver {
    static let shared = Unheard()

    func head(_ head: ResponseHead) -> Bool { true }
    func bytes(_ bytes: [UInt8]) -> Bool { true }
    func end(_ failure: TransferError?) {}
}

internal import TandemSystem

/// What is known of one transfer while it runs; touched on the loop's thread only.
final class Transfer {
    let id: TransferID
    let request: HTTPRequest
    let receiver: any TransferReceiver
    /// For messages; most transfers need none.
    private(set) lazy var server = ServerAddress(url: request.url)
    var easy: EasyHandle?
    var idleTimer: TimerID?
    var totalTimer: TimerID?
    /// Why we ended it ourselves; it wins over curl's result.
    var failure: TransferError?

    private var headParser = ResponseHeadParser()
    private var head: ResponseHead?
    private(set) var hasHead = false
    private(set) var wasSent = false
    private var pending: [UInt8] = []
    private var received = 0
    private(set) var lastByte = Deadline.now
    /// Its receiver wants no more for now.
    var isPaused = false
    private var uploaded: Int64 = 0
    /// Where it is noted for its receiver; nil for one whose answer is collected, which nobody would take out again.
    private let touched: TouchedTransfers?
    private let traffic: Traffic

    init(
        _ id: TransferID,
        _ request: HTTPRequest,
        _ receiver: any TransferReceiver,
        _ touched: TouchedTransfers?,
        _ traffic: Traffic
    ) {
        self.touched = touched
        self.traffic = traffic
        self.id = id
        self.request = request
        self.receiver = receiver
    }

    /// False ends the transfer.
    func take(headerLine line: [UInt8]) -> Bool {
        lastByte = Deadline.now
        switch headParser.read(line: line) {
        case .more: return true
        case .head(let head):
            if let size = head["content-length"].flatMap({ Int($0) }), size > request.responseLimit {
                failure = TransferError(.tooLarge, "the answer of \(server) has \(size) bytes, which is too large")
                return false
            }
            touched?.note(self)
            self.head = head
            hasHead = true
            return true
        case .tooLarge:
            failure = TransferError(.tooLarge, "the head of the answer of \(server) is too large")
            return false
        }
    }

    /// False ends the transfer.
    func take(body bytes: UnsafeRawBufferPointer) -> Bool {
        lastByte = Deadline.now
        received += bytes.count
        traffic.received(bytes.count)
        guard received <= request.responseLimit else {
            failure = TransferError(.tooLarge, "the answer of \(server) is larger than \(request.responseLimit) bytes")
            return false
        }
        touched?.note(self)
        unsafe pending.append(contentsOf: bytes)
        return true
    }

    /// False when the request has been sent before and may not be again.
    func maySend() -> Bool {
        defer { wasSent = true }
        guard wasSent, request.isSentOnce else { return true }
        failure = TransferError(.cut, "\(server) closed the connection before it answered")
        return false
    }

    /// It is over: what was sent of it is counted.
    func countSent() { if let easy, request.body != nil { traffic.sent(easy.bytesSent) } }

    /// It is paused no longer: the time of its silence begins anew.
    func goOn() {
        isPaused = false
        lastByte = Deadline.now
    }

    /// All that has come, for a receiver that wants it in one piece.
    func collected() -> (head: ResponseHead?, body: [UInt8]) {
        defer { pending = [] }
        return (head, pending)
    }

    /// True when there is something for the receiver.
    var isTouched: Bool { head != nil || !pending.isEmpty }

    /// Hands over what has come since the last time; false when the receiver wants no more.
    func flush() -> Bool {
        let bytes = pending
        pending = []
        if let head {
            self.head = nil
            if !receiver.head(head) { return false }
        }
        return bytes.isEmpty || receiver.bytes(bytes)
    }

    /// The moment at which it will have been idle for too long, were nothing to happen any more.
    func idleEnd() -> Deadline? {
        guard !isPaused, let limit = request.idleTimeoutMilliseconds else { return nil }
        // A request that is still being sent is not idle.
        if let sent = easy?.bytesSent, sent != uploaded {
            uploaded = sent
            lastByte = Deadline.now
        }
        return Deadline(afterMilliseconds: max(limit, 1), from: lastByte)
    }
}

/// The transfers for which the current turn of curl has brought something, in order.
final class TouchedTransfers {
    private var transfers: [Transfer] = []

    func note(_ transfer: Transfer) {
        if !transfer.isTouched { transfers.append(transfer) }
    }

    var isEmpty: Bool { transfers.isEmpty }

    func take() -> [Transfer] {
        defer { transfers = [] }
        return transfers
    }
}

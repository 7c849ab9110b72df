internal import CCurl
package import TandemSystem

/// HTTP transfers on an event loop.
///
/// Any thread may start and cancel; curl is touched on the loop's thread only.
package final class TransferLoop: Sendable {
    private let loop: EventLoop
    private let issued = Lock<UInt64>(0)
    private let session: TransferSession

    /// The transfers of a loop end when it does.
    package init(_ loop: EventLoop, _ traffic: Traffic = Traffic()) {
        self.loop = loop
        let session = TransferSession(loop, traffic)
        self.session = session
        if !loop.beforeEnd({ session.close() }) { close() }
    }

    /// Whether a request would probably find a connection that is open: it then is sent without a wait for anything.
    package var hasIdleConnection: Bool { session.idleConnections.withLock { $0 > 0 } }

    /// Begins a transfer; its receiver is kept until its end, of which it never hears inside this call.
    @discardableResult
    package func start(_ request: HTTPRequest, _ receiver: any TransferReceiver) -> TransferID {
        let id = TransferID(
            number: issued.withLock { issued in
                issued &+= 1
                return issued
            }
        )
        if loop.isCurrent {
            session.start(id, request, receiver)
        } else if !loop.post({ [session] in session.start(id, request, receiver) }) {
            receiver.end(TransferError(.cancelled, "the library is being closed"))
        }
        return id
    }

    /// Ends a transfer with `.cancelled`; nothing for one that has ended.
    package func cancel(_ id: TransferID) { loop.post { [session] in session.cancel(id) } }

    /// Reads no more of an answer's body until `resume`, so that its server has to wait.
    ///
    /// What was read before still comes, and so may the end. The idle timeout does not run meanwhile; the total one does.
    package func pause(_ id: TransferID) { loop.post { [session] in session.pause(id) } }

    /// Goes on with a transfer that was paused; what has come meanwhile may be handed over at once.
    package func resume(_ id: TransferID) { loop.post { [session] in session.resume(id) } }

    /// Ends all transfers with `.cancelled`, closes the connections, and refuses new transfers in the same way.
    package func close() { loop.post { [session] in session.close() } }
}

/// The half of a transfer loop that lives on the loop's thread; nothing of it is touched elsewhere.
private final class TransferSession: @unchecked Sendable {
    private unowned let loop: EventLoop
    private var multi: MultiHandle?
    private var isClosed = false
    private var transfers: [TransferID: Transfer] = [:]
    private let touched = TouchedTransfers()
    private let traffic: Traffic
    private var spares: [EasyHandle] = []
    /// Connections that transfers left open and no later one has taken; some of them servers may have closed.
    let idleConnections = Lock(0)

    /// Handles kept for the next transfers: making one costs more than a short request on loopback.
    private static let keptHandles = 16

    init(_ loop: EventLoop, _ traffic: Traffic) {
        self.loop = loop
        self.traffic = traffic
    }

    func start(_ id: TransferID, _ request: HTTPRequest, _ receiver: any TransferReceiver) {
        let transfer = Transfer(id, request, receiver, touched, traffic)
        if isClosed { return refuse(receiver, TransferError(.cancelled, "the library is being closed")) }
        if let flaw = request.flaw { return refuse(receiver, TransferError(.protocol, "\(transfer.server): \(flaw)")) }
        guard let multi = openMulti(), let easy = spares.popLast() ?? EasyHandle() else {
            return refuse(receiver, TransferError(.other, "\(transfer.server): no memory or descriptor for a transfer"))
        }
        transfer.easy = easy
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        guard unsafe easy.prepare(request, context: context, traffic), multi.add(easy) else {
            return refuse(receiver, TransferError(.protocol, "\(transfer.server): the request cannot be sent"))
        }
        transfers[id] = transfer
        idleConnections.withLock { $0 = max($0 - 1, 0) }
        watchTime(of: transfer)
        // An answer may be there already, but a receiver hears of nothing while its transfer is being started.
        if let running = multi.begin(), !touched.isEmpty || running < transfers.count {
            loop.post { [self] in settle() }
        }
    }

    private func refuse(_ receiver: any TransferReceiver, _ error: TransferError) {
        if !loop.post({ receiver.end(error) }) { receiver.end(error) }
    }

    func cancel(_ id: TransferID) {
        guard let transfer = transfers[id] else { return }
        finish(transfer, TransferError(.cancelled, "the transfer from \(transfer.server) was cancelled"))
    }

    func pause(_ id: TransferID) {
        guard let transfer = transfers[id], !transfer.isPaused else { return }
        transfer.isPaused = true
        if let timer = transfer.idleTimer { loop.cancelTimer(timer) }
        transfer.idleTimer = nil
    }

    func resume(_ id: TransferID) {
        guard let transfer = transfers[id], transfer.isPaused else { return }
        transfer.goOn()
        transfer.easy?.resume()
        watchIdleness(of: transfer)
        // curl hands over what it kept within its call, not within a turn.
        settle()
        if let failure = transfer.failure { finish(transfer, failure) }
    }

    func close() {
        isClosed = true
        for id in transfers.keys.sorted(by: { $0.number < $1.number }) { cancel(id) }
        spares = []
        multi?.close()
        multi = nil
        // It knows them, and they know it.
        _ = touched.take()
    }

    private func openMulti() -> MultiHandle? {
        if let multi { return multi }
        let made = MultiHandle(loop)
        made?.afterTurn = { [unowned self] in settle() }
        multi = made
        return made
    }
}

extension TransferSession {
    /// Hands over what curl's last turn brought, then ends what has ended.
    private func settle() {
        for transfer in touched.take() where transfers[transfer.id] != nil {
            if !transfer.flush() { cancel(transfer.id) }
        }
        while let (transfer, result) = multi?.nextFinished() { conclude(transfer, result) }
    }

    private func conclude(_ transfer: Transfer, _ result: CURLcode) {
        // What it began with inside of another's end has not been handed over yet.
        if !transfer.flush() { return cancel(transfer.id) }
        var failure = transfer.failure
        // A connection that ends inside the head is no error to curl.
        let result = result == CURLE_OK && !transfer.hasHead ? CURLE_GOT_NOTHING : result
        if failure == nil, result != CURLE_OK, let easy = transfer.easy {
            failure = TransferError(
                result,
                server: transfer.server,
                systemError: easy.systemError,
                detail: easy.detail
            )
        }
        if failure == nil { idleConnections.withLock { $0 = min($0 + 1, MultiHandle.keptConnections) } }
        finish(transfer, failure)
    }

    private func finish(_ transfer: Transfer, _ failure: TransferError?) {
        guard transfers.removeValue(forKey: transfer.id) != nil else { return }
        for timer in [transfer.idleTimer, transfer.totalTimer] {
            if let timer { loop.cancelTimer(timer) }
        }
        transfer.countSent()
        if let easy = transfer.easy {
            transfer.easy = nil
            multi?.remove(easy)
            if spares.count < TransferSession.keptHandles {
                easy.reset()
                spares.append(easy)
            }
        }
        transfer.receiver.end(failure)
    }

    private func watchTime(of transfer: Transfer) {
        let id = transfer.id
        if let limit = transfer.request.totalTimeoutMilliseconds {
            transfer.totalTimer = loop.after(Deadline(afterMilliseconds: max(limit, 0))) { [weak self] in
                self?.totalTimeIsOver(id)
            }
        }
        watchIdleness(of: transfer)
    }

    /// One timer that moves on by itself: a byte costs no timer, only a look at the clock.
    private func watchIdleness(of transfer: Transfer) {
        guard let end = transfer.idleEnd() else { return }
        let id = transfer.id
        transfer.idleTimer = loop.after(end) { [weak self] in self?.maybeIdle(id) }
    }

    private func maybeIdle(_ id: TransferID) {
        guard let transfer = transfers[id], let end = transfer.idleEnd() else { return }
        guard end.hasPassed else { return watchIdleness(of: transfer) }
        let limit = transfer.request.idleTimeoutMilliseconds ?? 0
        finish(transfer, TransferError(.idle, "\(transfer.server) sent nothing for \(limit) ms"))
    }

    private func totalTimeIsOver(_ id: TransferID) {
        guard let transfer = transfers[id] else { return }
        let limit = transfer.request.totalTimeoutMilliseconds ?? 0
        finish(transfer, TransferError(.timedOut, "\(transfer.server) did not finish its answer within \(limit) ms"))
    }
}

internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// A call that runs on the io loop, on whose thread alone it is touched.
final class StartedCall: TransferReceiver, @unchecked Sendable {
    private let remote: Remote
    private let operation: Operation
    private let http: HTTPRequest
    private let call: Call
    private let policy: RetryPolicy
    private let finish: (Result<Reply, Failure>) -> Void

    private var attempt: Int64 = 0
    private var head: ResponseHead?
    private var body: [UInt8] = []
    private var transfer: TransferID?
    private var timer: TimerID?
    private var isOver = false

    init(
        _ remote: Remote,
        _ operation: Operation,
        _ http: HTTPRequest,
        _ call: Call,
        _ finish: @escaping (Result<Reply, Failure>) -> Void
    ) {
        self.remote = remote
        self.operation = operation
        self.http = http
        self.call = call
        self.finish = finish
        policy = RetryPolicy(operation, call.options)
    }

    /// From any thread.
    func begin() {
        let isPosted = remote.loop.post { [self] in
            call.whenCancelled { [weak self] in
                guard let self else { return }
                remote.loop.post { self.cancel() }
            }
            send()
        }
        if !isPosted { finish(.failure(.remoteClosed)) }
    }

    private func send() {
        if isOver { return }
        attempt += 1
        head = nil
        body = []
        remote.meter.began(isRetry: attempt > 1)
        transfer = remote.transfers.start(http, self)
    }

    private func cancel() {
        if isOver { return }
        if let transfer { return remote.transfers.cancel(transfer) }
        if let timer { remote.loop.cancelTimer(timer) }
        end(.failure(.remoteCancelled))
    }

    private func end(_ result: Result<Reply, Failure>) {
        if isOver { return }
        isOver = true
        finish(result)
    }

    func head(_ head: ResponseHead) -> Bool {
        self.head = head
        return true
    }

    func bytes(_ bytes: [UInt8]) -> Bool {
        if body.isEmpty { body = bytes } else { body += bytes }
        return true
    }

    func end(_ failure: TransferError?) {
        transfer = nil
        if isOver { return }
        let outcome: Result<HTTPResponse, TransferError> =
            if let failure { .failure(failure) } else if let head {
                .success(HTTPResponse(head: head, body: body))
            } else { .failure(TransferError(.cut, "the server closed the connection before it answered")) }
        let result = remote.read(outcome, of: operation)
        guard let refusal = Remote.refusal(result, operation) else { return end(result) }
        switch remote.decide(policy, refusal, attempt, call.deadline) {
        case .giveUp: end(result)
        case .wait(let milliseconds):
            timer = remote.loop.after(Deadline(afterMilliseconds: max(milliseconds, 1))) { [self] in
                timer = nil
                send()
            }
        }
    }
}

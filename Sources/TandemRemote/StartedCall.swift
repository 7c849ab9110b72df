internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// A call that runs on the io loop, in whose callbacks alone it is touched.
final class StartedCall: TransferReceiver, @unchecked Sendable {
    private let remote: Remote
    private let operation: Operation
    private let http: HTTPRequest
    private let call: Call
    private let policy: RetryPolicy
    private let finish: (Result<Reply, Failure>) -> Void

    private var attempt = Attempt()
    private var head: ResponseHead?
    private var body: [UInt8] = []
    /// Its place among those that wait.
    private var ticket: Int?
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
        call.mark(sent: false)
    }

    /// From any thread: over a connection that is open the caller's own sends the request, where the loop sleeps.
    func begin() {
        let job: EventLoop.Job = { [self] in
            call.whenCancelled { [weak self] in
                guard let self else { return }
                remote.loop.post { self.cancel() }
            }
            send()
        }
        let loop = remote.loop
        let isTaken = remote.transfers.hasIdleConnection ? loop.runOrPost(job) : loop.post(job)
        if !isTaken { finish(.failure(.remoteClosed)) }
    }

    private func send() {
        if isOver { return }
        ticket = remote.turns(of: operation).withLock { $0.enter(self) }
        if ticket == nil { transmit() }
    }

    private func transmit() {
        ticket = nil
        attempt.begin()
        head = nil
        body = []
        call.mark(sent: true)
        remote.meter.began(isRetry: attempt.isRetry)
        transfer = remote.transfers.start(http, self)
    }

    /// Its request is through: the next that is still wanted goes.
    private func passTurn() {
        let turns = remote.turns(of: operation)
        while let next = turns.withLock({ $0.leave() }) {
            if !next.call.isCancelled { return next.transmit() }
        }
    }

    private func cancel() {
        if isOver { return }
        if let transfer { return remote.transfers.cancel(transfer) }
        if let ticket { remote.turns(of: operation).withLock { $0.withdraw(ticket) } }
        if let timer { remote.loop.cancelTimer(timer) }
        end(.failure(attempt.number == 0 ? .cancelledBeforeSending : .remoteCancelled))
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
        passTurn()
        if isOver { return }
        let outcome: Result<HTTPResponse, TransferError> =
            if let failure { .failure(failure) } else if let head {
                .success(HTTPResponse(head: head, body: body))
            } else { .failure(TransferError(.cut, "the server closed the connection before it answered")) }
        remote.ended(operation, http, attempt, outcome)
        let result = remote.read(outcome, of: operation)
        guard let refusal = Remote.refusal(result, operation) else { return end(result) }
        switch remote.decide(policy, refusal, attempt.number, call.deadline) {
        case .giveUp: end(result)
        case .wait(let milliseconds):
            remote.log.repeats(operation, refusal, attempt, inMilliseconds: milliseconds)
            timer = remote.loop.after(Deadline(afterMilliseconds: max(milliseconds, 1))) { [self] in
                timer = nil
                send()
            }
        }
    }
}

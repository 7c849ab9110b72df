internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// One stream's connection, tried again while it has not begun; on the loop's thread only.
final class StreamTransfer: TransferReceiver, @unchecked Sendable {
    private let remote: Remote
    private let operation: Operation
    private let http: HTTPRequest
    private let policy: RetryPolicy
    private let deadline: Deadline
    private let opened: () -> Void
    /// What one read from the network brought.
    private let receive: ([StreamFrame]) -> Void
    /// Last of all; nil: the server ended the stream.
    private let finish: (Failure?) -> Void

    private var attempt = Attempt()
    private var reader: StreamReader
    private var transfer: TransferID?
    private var timer: TimerID?
    private var refusal: (head: ResponseHead, body: [UInt8])?
    private var failure: Failure?
    private var hasBegun = false
    private var isOver = false

    /// The most that is read of an answer that is no stream.
    private static let refusalLimit = 1024 * 1024

    init(
        _ remote: Remote,
        _ operation: Operation,
        _ http: HTTPRequest,
        _ options: CallOptions,
        until deadline: Deadline,
        opened: @escaping () -> Void = {},
        receive: @escaping ([StreamFrame]) -> Void,
        finish: @escaping (Failure?) -> Void
    ) {
        self.remote = remote
        self.operation = operation
        self.http = http
        self.deadline = deadline
        self.opened = opened
        self.receive = receive
        self.finish = finish
        policy = RetryPolicy(operation, options)
        reader = StreamReader(operation.response, limit: remote.configuration.eventLimitBytes)
    }

    /// What the stream asked for, before it is opened again.
    var retryMilliseconds: Int64? { reader.retryMilliseconds }

    func begin() {
        if isOver { return }
        attempt.begin()
        refusal = nil
        failure = nil
        remote.meter.began(isRetry: attempt.isRetry)
        transfer = remote.transfers.start(http, self)
    }

    /// Holds the server back.
    func pause() { if let transfer { remote.transfers.pause(transfer) } }

    func resume() { if let transfer { remote.transfers.resume(transfer) } }

    /// Ends it without a word to anybody.
    func close() {
        isOver = true
        if let transfer { remote.transfers.cancel(transfer) }
        if let timer { remote.loop.cancelTimer(timer) }
    }

    func head(_ head: ResponseHead) -> Bool {
        let isEvents = head.mediaType == "text/event-stream" || operation.response == .jsonLines
        if head.status == 200, isEvents {
            hasBegun = true
            remote.log.streamBegan(operation, http, attempt)
            if !isOver { opened() }
            return true
        }
        if head.status < 300 {
            failure = Failure(.protocol, "\(operation.name): the answer is no stream of events", status: head.status)
            return false
        }
        refusal = (head, [])
        return true
    }

    func bytes(_ bytes: [UInt8]) -> Bool {
        if isOver { return false }
        if let refused = refusal {
            refusal = (refused.head, refused.body + bytes.prefix(StreamTransfer.refusalLimit - refused.body.count))
            return true
        }
        let skipped = reader.skipped
        var frames: [StreamFrame] = []
        defer { remote.meter.skippedFrames(reader.skipped - skipped) }
        do throws(Failure) { try reader.read(bytes, into: &frames) } catch { failure = error }
        if !frames.isEmpty { receive(frames) }
        return failure == nil && !isOver
    }

    func end(_ error: TransferError?) {
        transfer = nil
        if isOver { return }
        var rest: [StreamFrame] = []
        if error == nil, refusal == nil { reader.finish(into: &rest) }
        if !rest.isEmpty { receive(rest) }
        let failure = reason(error)
        remote.log.streamEnded(operation, http, attempt, failure)
        if let failure { return retry(failure) }
        isOver = true
        finish(nil)
    }

    private func reason(_ error: TransferError?) -> Failure? {
        if let failure { return failure }
        if let refusal {
            let response = HTTPResponse(head: refusal.head, body: refusal.body)
            return Remote.refusal(remote.read(.success(response), of: operation), operation)
        }
        guard let error else { return nil }
        let isSilent = error.code == .idle || error.code == .timedOut
        return isSilent ? Failure(.engineUnavailable, error.message) : Failure(error)
    }

    private func retry(_ failure: Failure) {
        if !hasBegun, case .wait(let milliseconds) = remote.decide(policy, failure, attempt.number, deadline) {
            remote.log.repeats(operation, failure, attempt, inMilliseconds: milliseconds)
            timer = remote.loop.after(Deadline(afterMilliseconds: max(milliseconds, 1))) { [self] in
                timer = nil
                begin()
            }
            return
        }
        isOver = true
        finish(failure)
    }
}

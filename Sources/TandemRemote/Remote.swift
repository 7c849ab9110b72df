package import TandemContract
internal import TandemHTTP
package import TandemJSON
package import TandemSystem

/// An engine that is reached over HTTP.
package final class Remote: Backend {
    let loop: EventLoop
    let transfers: TransferLoop
    let meter = Meter()
    let log: RequestLog
    let configuration: RemoteConfiguration
    private let pool: TransferPool
    let builder: RequestBuilder
    /// Which started calls are under way; those that take as long as a run have turns of their own.
    private let turns: Lock<TurnQueue<StartedCall>>
    private let runTurns: Lock<TurnQueue<StartedCall>>
    let random: Random
    /// On the loop's thread only.
    let readings = ReadingLine()
    private let isClosed = Lock(false)
    /// Made by the first that needs it, on the loop's thread.
    private let shared = Lock<Subscription?>(nil)

    /// Opens no connection; the loop outlives the remote.
    package init(_ configuration: RemoteConfiguration, loop: EventLoop, random: Random) {
        self.configuration = configuration
        self.loop = loop
        self.random = random
        transfers = TransferLoop(loop, meter.traffic)
        pool = TransferPool(meter.traffic)
        builder = RequestBuilder(configuration: configuration)
        log = RequestLog(configuration)
        turns = Lock(TurnQueue(limit: configuration.transfersLimit))
        runTurns = Lock(TurnQueue(limit: configuration.transfersLimit))
    }

    package var needsDefaultModel: Bool { true }
    package var tellsResyncs: Bool { true }

    package func writeStats(to writer: inout JSONWriter) { meter.write(to: &writer) }

    package func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure> {
        do throws(Failure) {
            let operation = try operation(of: request)
            if operation.isOnlyStream {
                throw Failure(.notSupported, "\(operation.name) is a stream: it has to be started, not answered")
            }
            let http = try builder.make(operation, request, call.options)
            let blocking = BlockingCall(call)
            guard isFollowed(operation, call) else {
                return settle(exchange(operation, http, call, blocking), operation, request)
            }
            guard blocking.await({ ready in self.onSubscription({ ready() }) { $0.beginPrompt(ready) } }) else {
                onSubscription {
                } _: {
                    $0.endPrompt()
                }
                throw call.isCancelled
                    ? .cancelledBeforeSending : Failure(.timeout, "the engine did not answer in time")
            }
            let result = exchange(operation, http, call, blocking)
            onSubscription {
            } _: {
                $0.endPrompt(result, session: request.path("session_id"))
            }
            return result
        } catch { return .failure(error) }
    }

    package func start(_ request: Request, _ call: Call, into sink: any Sink) {
        do throws(Failure) {
            let operation = try operation(of: request)
            let http = try builder.make(operation, request, call.options)
            if operation.isOnlyStream { return follow(operation, request, call, sink) }
            if isWatched(operation, call) { return watch(operation, request, http, call, sink) }
            guard isFollowed(operation, call) else {
                return StartedCall(self, operation, http, call) { [self] in settle($0, operation, request, sink) }
                    .begin()
            }
            let started = StartedCall(self, operation, http, call) { [self] result in
                onSubscription {
                } _: {
                    $0.endPrompt(result, session: request.path("session_id"))
                }
                sink.end(result.map { $0 })
            }
            onSubscription({ started.begin() }) { $0.beginPrompt { started.begin() } }
        } catch { sink.end(.failure(error)) }
    }

    package func close(by deadline: Deadline) -> Bool {
        isClosed.withLock { $0 = true }
        loop.post { [self] in shared.withLock { $0 }?.close() }
        transfers.close()
        pool.close()
        return true
    }

    /// On the loop's thread only.
    func subscription() -> Subscription? {
        if let made = shared.withLock({ $0 }) { return made }
        guard let operation = Operation.named("engine.stream") else { return nil }
        let made = Subscription(self, operation)
        shared.withLock { $0 = made }
        return made
    }

    private func operation(of request: Request) throws(Failure) -> Operation {
        if isClosed.withLock({ $0 }) { throw .remoteClosed }
        guard let operation = Operation.numbered(request.operation), !operation.method.isEmpty else {
            throw Failure(.notSupported, "no engine has this operation")
        }
        return operation
    }

    /// Sends and waits, again where that is allowed, until there is an answer or no time.
    func exchange(
        _ operation: Operation,
        _ http: HTTPRequest,
        _ call: Call,
        _ blocking: BlockingCall
    ) -> Result<Reply, Failure> {
        let policy = RetryPolicy(operation, call.options)
        var attempt = Attempt()
        while true {
            attempt.begin()
            meter.began(isRetry: attempt.isRetry)
            let outcome = blocking.transfer(http, over: pool)
            ended(operation, http, attempt, outcome)
            let result = read(outcome, of: operation)
            guard let refusal = Remote.refusal(result, operation) else { return result }
            switch decide(policy, refusal, attempt.number, call.deadline) {
            case .giveUp: return result
            case .wait(let milliseconds):
                log.repeats(operation, refusal, attempt, inMilliseconds: milliseconds)
                if !blocking.pause(milliseconds: milliseconds) { return .failure(.cancelledBeforeSending) }
            }
        }
    }
}

// What blocking and started calls share.
extension Remote {
    func turns(of operation: Operation) -> Lock<TurnQueue<StartedCall>> {
        operation.recipe == "prompt_sync" ? runTurns : turns
    }

    /// Counts and logs one try.
    func ended(
        _ operation: Operation,
        _ http: HTTPRequest,
        _ attempt: Attempt,
        _ outcome: Result<HTTPResponse, TransferError>
    ) {
        switch outcome {
        case .success: meter.answered(microseconds: attempt.microseconds)
        case .failure: meter.failed()
        }
        log.ended(operation, http, attempt, outcome)
    }

    func read(_ outcome: Result<HTTPResponse, TransferError>, of operation: Operation) -> Result<Reply, Failure> {
        switch outcome {
        case .failure(let error): return .failure(Failure(error))
        case .success(let response): return ReplyReader.reply(response, of: operation, now: SystemClock().milliseconds)
        }
    }

    /// The failure that a result is or says; nil for one that is neither.
    static func refusal(_ result: Result<Reply, Failure>, _ operation: Operation) -> Failure? {
        switch result {
        case .failure(let failure): failure
        case .success(let reply): reply.status >= 400 ? Failure(reply, of: operation) : nil
        }
    }

    func decide(_ policy: RetryPolicy, _ failure: Failure, _ attempt: Int64, _ deadline: Deadline)
        -> RetryPolicy.Decision
    {
        policy.decision(failure, attempt: attempt, millisecondsLeft: deadline.millisecondsLeft, random: random.next())
    }
}

extension Failure {
    static let remoteClosed = Failure(.closed, "the client is being closed")
}

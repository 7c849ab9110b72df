package import TandemContract
internal import TandemJSON
internal import TandemStore
package import TandemSystem

/// The engine inside the process.
package final class Engine: Backend {
    private let core: EngineCore
    private let handlers = HandlerTable()
    private let lock: StateLock?
    private let stage = Lock(Stage.open)

    private enum Stage { case open, closing, streamsEnded }

    /// The operations that this engine answers; all others are `not_supported`.
    package static var supported: Set<OperationNumber> { Set(HandlerTable.all.map(\.operation)) }

    package var runsHostTools: Bool { true }

    /// What was asked has been done or refused when it is answered.
    package var repeatsRequests: Bool { false }

    private init(_ core: EngineCore, _ lock: StateLock?) {
        self.core = core
        self.lock = lock
    }

    /// Opens the state and starts the engine's thread; transfers run on `loop`, which outlives the engine.
    ///
    /// Disk work, but no network. Fails with `state_locked`, `state_corrupt`, `state_full` or `invalid_argument`.
    package static func open(_ configuration: EngineConfiguration, loop: EventLoop) throws(Failure) -> Engine {
        let context = try EngineContext(configuration)
        let state = try StateDirectory.open(configuration)
        do throws(StoreError) {
            let writer = try state.database.openWriter(
                Schema.migrator,
                configuration.durability == .power ? .power : .process,
                maximumPages: configuration.maximumPages
            )
            var table = context.providers.withLock { $0 }
            try Config.load(&table, from: writer)
            let complete = table
            context.providers.withLock { $0 = complete }
            let newest = try EventLog.newest(writer)
            guard newest < .max else { throw StoreError(.corrupt, "the log of events has no number left") }
            guard let thread = EventLoop.start(name: "tandem-engine") else {
                throw StoreError(.exhausted, "the process may start no more threads or open no more descriptors")
            }
            let core = EngineCore(
                context,
                writer: writer,
                readers: ReaderPool(state.database),
                thread: thread,
                models: ModelDesk(configuration, loop),
                nextSeq: newest + 1
            )
            if let error = core.begin(Work(Interrupted.close)) {
                _ = thread.stop(by: .never)
                throw error
            }
            return Engine(core, state.lock)
        } catch {
            state.lock?.release()
            throw Failure(error)
        }
    }

    package func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure> {
        guard let handler = handlers[request.operation] else { return .failure(Engine.unsupported(request)) }
        if isClosing { return .failure(.engineClosed) }
        if call.isCancelled { return .failure(Engine.cancelled) }
        switch handler.lane {
        case .read(let body): return read(body, request)
        case .write, .later: return wait(handler, request, call)
        case .stream: return .failure(Failure(.notSupported, "a stream has to be started, not answered"))
        }
    }

    package func start(_ request: Request, _ call: Call, into sink: any Sink) {
        let ticket = Ticket(sink)
        guard let handler = handlers[request.operation] else {
            return ticket.finish(.failure(Engine.unsupported(request)))
        }
        if isClosing { return ticket.finish(.failure(.engineClosed)) }
        switch handler.lane {
        case .read(let body):
            call.whenCancelled { ticket.finish(.failure(Engine.cancelled)) }
            core.pool.post(
                { [self] in if !ticket.isOver { ticket.finish(read(body, request).map { $0 }) } },
                orElse: { ticket.finish(.failure(Failure($0))) }
            )
        case .write, .later: begin(handler, request, call, ticket)
        case .stream(let filter): core.subscribe(filter(request), ticket, call)
        }
    }

    /// The tool that asks waits for the answer.
    package var questionsWait: Bool { true }

    /// Ends everything: true when all threads are gone, else it may be called again.
    package func close(by deadline: Deadline) -> Bool {
        if advance(from: .open, to: .closing) {
            core.post(
                Work({ (batch) throws(StoreError) in try batch.endRuns() }) { core, error in core.loseRuns(error) }
            )
        }
        // Workers hand events over; a stream ends only after them.
        guard core.pool.stop(by: deadline) else { return false }
        if advance(from: .closing, to: .streamsEnded) {
            core.post(
                Work({ (batch) throws(StoreError) in try batch.endEverything() }) { core, error in
                    core.loseRuns(error)
                    core.endStreams()
                }
            )
            core.refuseWork()
        }
        guard core.thread.stop(by: deadline), core.readers.close(by: deadline) else { return false }
        core.closeWriter()
        lock?.release()
        return true
    }

    private var isClosing: Bool { stage.withLock { $0 != .open } }

    private func advance(from old: Stage, to new: Stage) -> Bool {
        stage.withLock { stage in
            guard stage == old else { return false }
            stage = new
            return true
        }
    }
}

extension Engine {
    private static func unsupported(_ request: Request) -> Failure {
        let name = Operation.numbered(request.operation)?.name ?? "this operation"
        return Failure(.notSupported, "\(name) is not supported by the embedded engine yet")
    }

    private static let cancelled = Failure(.cancelled, "the operation was cancelled")
    private static let timeout = Failure(.timeout, "the engine did not answer in time")

    /// How long a run may take to stop when its caller no longer waits.
    private static let stopMilliseconds: Int64 = 5_000

    private func read(
        _ body: @Sendable (Reading, Request) throws(Halt) -> Reply,
        _ request: Request
    ) -> Result<Reply, Failure> {
        do throws(Halt) {
            return .success(
                try core.readers.read { (connection) throws(Halt) in
                    try body(Reading(connection: connection, context: core.context), request)
                }
            )
        } catch { return Engine.result(of: error) }
    }

    private func wait(_ handler: Handler, _ request: Request, _ call: Call) -> Result<Reply, Failure> {
        let ticket = Ticket()
        begin(handler, request, call, ticket, waits: true)
        if let outcome = ticket.wait(until: call.deadline) { return Engine.reply(outcome) }
        if let stop = ticket.stop.withLock({ $0 }) {
            stop(.timedOutRun(true))
            let last = Deadline(afterMilliseconds: Engine.stopMilliseconds)
            if let outcome = ticket.wait(until: last) { return Engine.reply(outcome) }
        }
        // Whatever comes first counts, also what came since.
        ticket.finish(.failure(Engine.timeout))
        return Engine.reply(ticket.wait(until: .passed) ?? .failure(Engine.timeout))
    }

    /// Hands a write to the one owner of the state.
    private func begin(_ handler: Handler, _ request: Request, _ call: Call, _ ticket: Ticket, waits: Bool = false) {
        if case .write = handler.lane { call.whenCancelled { ticket.finish(.failure(Engine.cancelled)) } }
        let work = Work({ (batch) throws(StoreError) in
            try Engine.perform(handler, request, call, ticket, batch)
        }) { _, error in ticket.finish(.failure(Failure(error))) }
        if !(waits ? core.perform(work) : core.post(work)) { ticket.finish(.failure(.engineClosed)) }
    }

    private static func perform(
        _ handler: Handler,
        _ request: Request,
        _ call: Call,
        _ ticket: Ticket,
        _ batch: Batch
    ) throws(StoreError) {
        if ticket.isOver { return }
        do throws(Halt) {
            switch handler.lane {
            case .write(let body):
                let reply = try body(batch, request)
                finish(ticket, .success(reply), after: batch)
            case .later(let body): try body(batch, request, LaterCall(ticket: ticket, call: call))
            case .read, .stream: break
            }
        } catch {
            if case .store(let error) = error { throw error }
            let outcome = result(of: error)
            finish(ticket, outcome.map { $0 }, after: batch)
        }
    }

    /// A sink gets its end among the events of others, in the turn; a caller that waits, when the turn is over.
    private static func finish(_ ticket: Ticket, _ outcome: Ticket.Outcome, after batch: Batch) {
        batch.then { [core = batch.core] in
            if ticket.sink == nil {
                core.answers.append { ticket.finish(outcome) }
            } else {
                ticket.finish(outcome)
            }
        }
    }

    private static func result(of halt: Halt) -> Result<Reply, Failure> {
        switch halt {
        case .reply(let reply): .success(reply)
        case .failure(let failure): .failure(failure)
        case .store(let error): .failure(Failure(error))
        }
    }

    private static func reply(_ outcome: Ticket.Outcome) -> Result<Reply, Failure> {
        switch outcome {
        case .success(let reply?): .success(reply)
        case .success(nil): .failure(Failure(.internalError, "the operation ended without a reply"))
        case .failure(let failure): .failure(failure)
        }
    }
}

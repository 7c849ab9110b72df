internal import TandemContract
internal import TandemStore

/// What one operation does, and where.
struct Handler: Sendable {
    enum Lane: Sendable {
        /// On the caller's thread, with a read connection.
        case read(@Sendable (Reading, Request) throws(Halt) -> Reply)
        /// On the engine's thread, in the transaction of its batch.
        case write(@Sendable (Batch, Request) throws(Halt) -> Reply)
        /// A write that ends when the run that it starts has ended.
        case later(@Sendable (Batch, Request, LaterCall) throws(Halt) -> Void)
        /// Events, until the stream ends or is cancelled.
        case stream(@Sendable (Request) -> EventFilter)
    }

    let operation: OperationNumber
    let lane: Lane

    static func read(
        _ operation: OperationNumber,
        _ body: @escaping @Sendable (Reading, Request) throws(Halt) -> Reply
    ) -> Handler { Handler(operation: operation, lane: .read(body)) }

    static func write(
        _ operation: OperationNumber,
        _ body: @escaping @Sendable (Batch, Request) throws(Halt) -> Reply
    ) -> Handler { Handler(operation: operation, lane: .write(body)) }

    static func later(
        _ operation: OperationNumber,
        _ body: @escaping @Sendable (Batch, Request, LaterCall) throws(Halt) -> Void
    ) -> Handler { Handler(operation: operation, lane: .later(body)) }

    static func stream(
        _ operation: OperationNumber,
        _ body: @escaping @Sendable (Request) -> EventFilter
    ) -> Handler { Handler(operation: operation, lane: .stream(body)) }
}

/// What a reading handler works with.
struct Reading {
    let connection: Connection
    let context: EngineContext
}

/// The call that a run answers when it has ended.
struct LaterCall: Sendable {
    let ticket: Ticket
    let call: Call
}

/// All handlers by operation number.
struct HandlerTable: Sendable {
    private let slots: [Handler?]

    static let all: [Handler] =
        Health.handlers + Sessions.handlers + Runs.handlers + Events.handlers
        + Providers.handlers + Config.handlers + Permissions.handlers + Questions.handlers + Tools.handlers

    init() {
        var slots: [Handler?] = []
        for handler in HandlerTable.all {
            let number = handler.operation.rawValue
            while slots.count <= number { slots.append(nil) }
            slots[number] = handler
        }
        self.slots = slots
    }

    subscript(_ operation: OperationNumber) -> Handler? {
        slots.indices.contains(operation.rawValue) ? slots[operation.rawValue] : nil
    }
}

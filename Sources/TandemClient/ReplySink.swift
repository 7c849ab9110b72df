internal import TandemContract
internal import TandemSystem

/// Hears how one request to the engine ended.
final class ReplySink: Sink {
    private let client: Client
    private let operation: Operation
    private let receive: @Sendable (Reply?) -> Void

    init(_ client: Client, _ operation: Operation, _ receive: @escaping @Sendable (Reply?) -> Void) {
        self.client = client
        self.operation = operation
        self.receive = receive
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int { events.count }

    func end(_ outcome: Result<Reply?, Failure>) {
        let (operation, receive) = (operation, receive)
        let result = outcome.flatMap { reply -> Result<Reply?, Failure> in
            guard let reply, let failure = Failure(reply, of: operation) else { return .success(reply) }
            return .failure(failure)
        }
        if case .failure(let failure) = result {
            client.log(2, "\(operation.name) failed", failure.json(operation: operation.name))
        }
        client.loop.post { receive((try? result.get()) ?? nil) }
    }
}

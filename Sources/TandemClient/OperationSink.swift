internal import TandemContract
internal import TandemJSON

/// Where an engine puts what an operation gives: its events, and the reply of which its result is made.
final class OperationSink: Sink {
    private let client: Client
    private let call: Call
    private let id: UInt64
    private let operation: Operation
    private let plan: Plan
    private let forwarder: EventForwarder

    init(_ client: Client, _ call: Call, _ id: UInt64, _ operation: Operation, _ plan: Plan) {
        self.client = client
        self.call = call
        self.id = id
        self.operation = operation
        self.plan = plan
        forwarder = EventForwarder(
            client,
            id,
            plan.options,
            sessionID: plan.request.session,
            runID: plan.request.run,
            description: operation.isStream ? operation.description : nil
        )
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int { forwarder.take(events) }

    func end(_ outcome: Result<Reply?, Failure>) {
        switch outcome {
        case .failure(let failure): client.end(id, .failure(failure))
        case .success(nil): client.end(id, .success(Client.streamEnd(byItself: true)))
        case .success(let reply?):
            client.learn(.success(reply), operation)
            client.noteAnswer(operation, plan, reply)
            client.end(id, client.finish(reply, operation, plan))
        }
        call.finish()
    }
}

package import TandemContract
internal import TandemJSON
internal import TandemSystem

/// A model that the host of the library runs, for one run.
package struct HostedModel: Model {
    package static let provider = "host"

    private let host: any Host
    private let sessionID: String
    private let runID: String

    package init(_ host: any Host, sessionID: String, runID: String) {
        self.host = host
        self.sessionID = sessionID
        self.runID = runID
    }

    /// Events come on whichever thread the host answers from.
    package func start(_ request: ModelRequest, deliver: @escaping @Sendable ([ModelEvent]) -> Void) -> any ModelCall {
        let receiver = HostedModelReceiver(model: request.model, ToolAliases(request.tools), deliver)
        let call = HostCall(
            .model,
            name: request.model,
            sessionID: sessionID,
            runID: runID,
            input: ChatRequest.json(request)
        )
        let id = host.ask(call, receiver)
        if id == nil {
            receiver.fail(ModelFailure(.hostFailed, "the host offers no model `\(request.model)` any more"))
        }
        return HostedModelCall(host: host, id: id, receiver: receiver)
    }
}

private struct HostedModelCall: ModelCall {
    let host: any Host
    let id: UInt64?
    let receiver: HostedModelReceiver

    func cancel() {
        if let id { host.cancel(id, reason: "cancelled") }
        receiver.fail(ModelFailure(.cancelled, "the answer was cancelled"))
    }
}

/// Passes what the host says through a reader; the host says one thing after the other, a cancel may come between.
private final class HostedModelReceiver: HostReceiver {
    private let reader: Lock<HostedModelReader>
    private let names: ToolAliases
    private let deliver: @Sendable ([ModelEvent]) -> Void

    init(model: String, _ names: ToolAliases, _ deliver: @escaping @Sendable ([ModelEvent]) -> Void) {
        reader = Lock(HostedModelReader(model: model))
        self.names = names
        self.deliver = deliver
    }

    func take(chunk: JSONText) { pass(reader.withLock { $0.take(chunk) }) }

    func end(_ reply: Result<JSONText, Failure>) {
        let events = reader.withLock { reader in
            switch reply {
            case .success(let value): reader.end(value)
            case .failure(let failure): reader.end(ModelFailure(failure))
            }
        }
        pass(events)
    }

    func fail(_ failure: ModelFailure) { pass(reader.withLock { $0.end(failure) }) }

    private func pass(_ events: [ModelEvent]) {
        if !events.isEmpty { deliver(events.map { $0.naming(names) }) }
    }
}

extension ModelFailure {
    fileprivate init(_ failure: Failure) {
        let category: Category =
            switch failure.name {
            case .hostTimeout: .hostTimeout
            case .cancelled, .closed: .cancelled
            default: .hostFailed
            }
        self.init(category, failure.message)
    }
}

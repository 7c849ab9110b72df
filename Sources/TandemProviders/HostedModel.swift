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
        let receiver = HostedModelReceiver(host, model: request.model, ToolAliases(request.tools), deliver)
        let call = HostCall(
            .model,
            name: request.model,
            sessionID: sessionID,
            runID: runID,
            input: ChatRequest.json(request)
        )
        let id = host.ask(call, receiver)
        if let id {
            receiver.began(id)
        } else {
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
    private struct State: Sendable {
        var reader: HostedModelReader
        var call: UInt64?
    }

    private let host: any Host
    private let state: Lock<State>
    private let names: ToolAliases
    private let deliver: @Sendable ([ModelEvent]) -> Void

    init(
        _ host: any Host,
        model: String,
        _ names: ToolAliases,
        _ deliver: @escaping @Sendable ([ModelEvent]) -> Void
    ) {
        self.host = host
        state = Lock(State(reader: HostedModelReader(model: model)))
        self.names = names
        self.deliver = deliver
    }

    /// The host has the call under that number; its first pieces may have come before.
    func began(_ call: UInt64) {
        let isOver = state.withLock { state in
            state.call = call
            return state.reader.isOver
        }
        if isOver { host.cancel(call, reason: HostedModelReceiver.flawed) }
    }

    func take(chunk: JSONText) {
        let (events, call) = state.withLock { state in
            (state.reader.take(chunk), state.reader.isOver ? state.call : nil)
        }
        pass(events)
        // The piece ended the answer, and the host goes on: it is told.
        if let call, !events.isEmpty { host.cancel(call, reason: HostedModelReceiver.flawed) }
    }

    private static let flawed = "host_failed"

    func end(_ reply: Result<JSONText, Failure>) {
        let events = state.withLock { state in
            switch reply {
            case .success(let value): state.reader.end(value)
            case .failure(let failure): state.reader.end(ModelFailure(failure))
            }
        }
        pass(events)
    }

    func fail(_ failure: ModelFailure) { pass(state.withLock { $0.reader.end(failure) }) }

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

internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// A stream with a connection of its own; on the loop's thread only.
final class DirectStream: @unchecked Sendable {
    private let outlet: Outlet
    private let runID: String?
    private let operation: Operation
    private let endsByItself: Bool
    private var transfer: StreamTransfer?

    private init(_ operation: Operation, _ request: Request, _ call: Call, _ sink: any Sink) {
        self.operation = operation
        outlet = Outlet(sink)
        runID = operation.endsWithRun ? StreamFilter(request).runID : nil
        endsByItself = !call.options.reconnects
    }

    /// From any thread.
    static func start(
        _ remote: Remote,
        _ operation: Operation,
        _ request: Request,
        _ http: HTTPRequest,
        _ call: Call,
        _ sink: any Sink
    ) {
        let isPosted = remote.loop.post {
            let stream = DirectStream(operation, request, call, sink)
            let transfer = StreamTransfer(
                remote,
                operation,
                http,
                call.options,
                until: call.deadline,
                receive: { stream.take($0.compactMap(\.event)) },
                finish: { stream.finish($0) }
            )
            stream.transfer = transfer
            call.whenResumed { remote.loop.post { stream.outlet.resume() } }
            call.whenCancelled { remote.loop.post { stream.stop(.failure(.remoteCancelled)) } }
            if !stream.outlet.isOver { transfer.begin() }
        }
        if !isPosted { sink.end(.failure(.remoteClosed)) }
    }

    private func take(_ events: [EngineEvent]) {
        guard let runID, let last = events.firstIndex(where: { $0.endsRun && $0.runID == runID }) else {
            return outlet.offer(events)
        }
        outlet.offer(Array(events[...last]))
        outlet.end(.success(nil))
        transfer?.close()
        transfer = nil
    }

    private func finish(_ failure: Failure?) {
        transfer = nil
        if let failure { return outlet.end(.failure(failure)) }
        if endsByItself { return outlet.end(.success(nil)) }
        outlet.end(.failure(Failure(.engineUnavailable, "\(operation.name): the server ended the stream")))
    }

    private func stop(_ outcome: Result<Reply?, Failure>) {
        transfer?.close()
        transfer = nil
        outlet.stop(outcome)
    }
}

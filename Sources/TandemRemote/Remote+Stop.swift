internal import TandemContract
internal import TandemHTTP
internal import TandemJSON
internal import TandemSystem

// A prompt that waits for its run's end takes the run along when it is stopped (tandem.h, tandem_cancel).
extension Remote {
    private static let stopMilliseconds: Int64 = 5_000

    func settle(_ result: Result<Reply, Failure>, _ operation: Operation, _ request: Request) -> Result<Reply, Failure>
    {
        guard let failure = Remote.stopped(result, operation), let (abort, http) = abort(request) else { return result }
        let call = Call(deadline: Deadline(afterMilliseconds: Remote.stopMilliseconds))
        return .failure(Remote.marked(failure, exchange(abort, http, call, BlockingCall(call))))
    }

    func settle(_ result: Result<Reply, Failure>, _ operation: Operation, _ request: Request, _ sink: any Sink) {
        guard let failure = Remote.stopped(result, operation), let (abort, http) = abort(request) else {
            return sink.end(result.map { $0 })
        }
        let call = Call(deadline: Deadline(afterMilliseconds: Remote.stopMilliseconds))
        let timer = loop.after(call.deadline) { call.cancel() }
        StartedCall(self, abort, http, call) { [loop] reply in
            loop.cancelTimer(timer)
            sink.end(.failure(Remote.marked(failure, reply)))
        }.begin()
    }

    /// Why a prompt was stopped while its run may have been going on.
    private static func stopped(_ result: Result<Reply, Failure>, _ operation: Operation) -> Failure? {
        guard operation.recipe == "prompt_sync", case .failure(let failure) = result,
            failure.name == .cancelled || failure.name == .timeout, failure.detail?["sent"]?.boolean == true
        else { return nil }
        return failure
    }

    private func abort(_ request: Request) -> (Operation, HTTPRequest)? {
        guard let operation = Operation.named("sessions.abort") else { return nil }
        let path = [Request.Field("session_id", request.path("session_id"))]
        guard let http = try? builder.make(operation, Request(operation.number, path: path), CallOptions()) else {
            return nil
        }
        return (operation, http)
    }

    private static func marked(_ failure: Failure, _ reply: Result<Reply, Failure>) -> Failure {
        let cancelled = (try? reply.get())?.json?["cancelled"]?.boolean ?? false
        let detail = JSONWriter.object { writer in
            writer.member("sent", true)
            writer.member("run_cancelled", cancelled)
        }
        return Failure(failure.name, failure.message, detail: detail)
    }
}

internal import TandemContract
internal import TandemJSON

// The caller has had enough, or time is up: no run stays behind (tandem.h, tandem_cancel).
extension RunSteps {
    mutating func stop() -> [Action] {
        let failure = Failure(.cancelled, "the operation was cancelled").adding { $0.member("sent", wasPromptSent) }
        switch phase {
        case .prompting where isPromptSent:
            // It may have begun a run, and only its answer says which.
            phase = .awaitingPrompt(failure)
            return [.startGrace]
        case .prompting: return [.stopSending(.prompt)] + end(.failure(RunSteps.marked(failure, nil)))
        case .following: return cancel(because: failure)
        case .answering, .reading: return end(.failure(RunSteps.marked(failure, nil)))
        case .showing(let result): return end(.success(result))
        case .awaitingPrompt, .cancelling, .over: return []
        }
    }

    mutating func graceOver() -> [Action] {
        guard case .awaitingPrompt = phase else { return [] }
        return [.stopSending(.prompt)]
    }

    mutating func stopOver() -> [Action] {
        switch phase {
        case .awaitingPrompt(let failure), .cancelling(let failure): end(.failure(RunSteps.marked(failure, nil)))
        default: []
        }
    }

    /// The prompt's answer came after the operation was stopped.
    mutating func promptEnded(_ result: Result<Reply, Failure>, _ failure: Failure) -> [Action] {
        switch RunSteps.run(of: result, operation) {
        case .success(let run):
            runID = run.id
            isAttached = run.isAttached
            return cancel(because: failure)
        case .failure(let reason) where reason.status != nil: return end(.failure(RunSteps.marked(failure, nil)))
        case .failure:
            // Nobody knows whether it arrived: if it did, the session's run is the one that it began.
            phase = .cancelling(failure)
            return request(.cancelRun, "sessions.abort", [.init("session_id", sessionID)])
        }
    }

    /// Ends with a failure, after the run.
    mutating func cancel(because failure: Failure) -> [Action] {
        if isAttached { return end(.failure(RunSteps.marked(failure, nil))) }
        phase = .cancelling(failure)
        let path = [Request.Field("session_id", sessionID), Request.Field("run_id", runID)]
        return request(.cancelRun, "sessions.cancel_run", path)
    }

    /// The failure with what became of the run.
    static func marked(_ failure: Failure, _ result: Result<Reply, Failure>?) -> Failure {
        let reply = try? result?.get()
        let isCancelled = reply?.json?["cancelled"]?.boolean ?? false
        return failure.adding { $0.member("run_cancelled", isCancelled) }
    }
}

extension Failure {
    /// With more members in its detail.
    func adding(_ body: (inout JSONWriter) -> Void) -> Failure {
        let known = detail.flatMap { $0.kind == .object ? $0.members : nil } ?? []
        let more = JSONWriter.object(body).members
        let whole = JSONWriter.object { writer in
            for member in known where !more.contains(where: { $0.key == member.key }) {
                writer.member(member.key, member.value)
            }
            for member in more { writer.member(member.key, member.value) }
        }
        return Failure(name, message, status: status, isRetryable: isRetryable, detail: whole)
    }
}

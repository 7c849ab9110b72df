internal import TandemContract
internal import TandemJSON

// A run that is followed, from its first event to its result.
extension RunSteps {
    mutating func heard(_ events: [EngineEvent]) -> [Action] {
        guard case .following = phase else { return [] }
        var actions: [Action] = []
        for event in events {
            for event in normalizer.normalize(event) where state.status == .running {
                state.fold(event)
                if event.type == EventName.questionResolved { actions += resolved(event.properties) }
            }
        }
        // After all of them: a run that was there before shows what was decided long ago.
        actions += decide()
        return state.status == .running ? actions : actions + ended()
    }

    mutating func streamEnded(_ outcome: Result<Reply?, Failure>) -> [Action] {
        guard case .following = phase else { return [] }
        let failure: Failure =
            if case .failure(let failure) = outcome { failure } else {
                Failure(.protocol, "the stream of the run ended before the run did")
            }
        return cancel(because: failure.adding { $0.member("run_id", runID) })
    }

    private mutating func ended() -> [Action] {
        var actions: [Action] = []
        let goesOn = state.status == .completed && !questionsWait
        for id in decisions.asked where !(goesOn && decisions.openQuestions.contains(id)) {
            actions += stopAsking(id, reason: "the run is over")
        }
        if goesOn { return actions + afterAnswers() }
        return actions + conclude()
    }

    /// Once all questions are settled the answers go on as a prompt; without any, that was all.
    mutating func afterAnswers() -> [Action] {
        guard decisions.openQuestions.isEmpty else {
            phase = .answering
            return []
        }
        return decisions.takeAnswers().map { prompt(with: $0) } ?? conclude()
    }

    private mutating func conclude() -> [Action] {
        state.close()
        guard state.status == .completed, !state.hasMessage else { return finish(with: nil) }
        phase = .reading
        return request(.messages, "sessions.messages", [.init("session_id", sessionID)])
    }

    /// messages: the stored ones, where the stream did not bring the final text.
    mutating func finish(with messages: Result<Reply, Failure>?) -> [Action] {
        phase = .showing(RunResult(state, runID: runID, messages: messages).json)
        return finishShowing()
    }

    mutating func finishShowing() -> [Action] {
        guard case .showing(let result) = phase, showing <= 0 else { return [] }
        return end(.success(result))
    }

    mutating func end(_ result: Result<JSONText, Failure>) -> [Action] {
        var actions: [Action] = []
        for id in decisions.asked { actions += stopAsking(id, reason: "the operation is over") }
        if showing > 0 { actions.append(.stopShowing) }
        phase = .over
        return actions + [.end(result)]
    }

    /// One request to the engine, none where the contract does not have it.
    func request(_ send: Send, _ name: String, _ path: [Request.Field], body: JSONText? = nil) -> [Action] {
        guard let operation = Operation.named(name) else { return [] }
        return [.send(send, Request(operation.number, path: path, body: body))]
    }
}

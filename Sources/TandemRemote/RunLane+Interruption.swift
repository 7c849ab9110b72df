internal import TandemContract
internal import TandemJSON

// Runs of which no end will come.
extension RunLane {
    mutating func failNotFound() {
        failure = Failure(.notFound, "there is no such run")
        phase = .over
    }

    /// The run ended without an end: its engine did.
    mutating func interrupt() -> [EngineEvent] {
        guard isKnown else {
            failNotFound()
            return []
        }
        phase = .over
        let text = "the engine ended while the run was going on"
        let error = named(EngineEventName.sessionError) { writer in
            writer.member(
                "error",
                object: { writer in
                    writer.member("code", "INTERRUPTED")
                    writer.member("message", text)
                }
            )
        }
        let end = named(EngineEventName.sessionRunFinished) { writer in
            writer.member("status", "error")
            writer.member("error", text)
            writer.member("failureCategory", "runtime")
        }
        return told() + [error, end]
    }

    private func named(_ type: String, _ body: (inout JSONWriter) -> Void) -> EngineEvent {
        let properties = JSONWriter.object { writer in
            writer.optional("sessionID", sessionID)
            writer.member("runID", runID)
            body(&writer)
        }
        return EngineEvent(type: type, properties: properties)
    }
}

internal import TandemContract
internal import TandemJSON

/// What a stream of the shared subscription follows.
struct StreamFilter: Sendable, Equatable {
    let sessionID: String?
    let runID: String?

    var isEverything: Bool { sessionID == nil && runID == nil }

    init(sessionID: String? = nil, runID: String? = nil) {
        self.sessionID = sessionID
        self.runID = runID
    }

    init(_ request: Request) {
        func given(_ query: String, _ path: String) -> String? {
            request.query(query) ?? request.path.first { $0.name == path }?.value
        }
        self.init(sessionID: given("sessionID", "session_id"), runID: given("runID", "run_id"))
    }

    /// `run`: the run that the event belongs to, whether it names it or not.
    func takes(_ event: EngineEvent, of run: String?) -> Bool {
        if let runID { return run == runID }
        guard let sessionID else { return true }
        // As the engine filters: some events have their session under id.
        return event.sessionID == sessionID || event.properties["id"]?.string == sessionID
    }
}

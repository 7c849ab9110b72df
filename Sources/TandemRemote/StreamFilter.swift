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
}

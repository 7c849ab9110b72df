internal import TandemContract

/// An event with the number of the run that it belongs to.
struct LoggedEvent: Sendable {
    let run: Int64?
    let event: EngineEvent

    var seq: Int64 { event.envelope?.seq ?? 0 }
    var sessionID: String? { event.envelope?.sessionID }
    var runID: String? { event.envelope?.runID }
}

/// Which events a stream carries.
struct EventFilter: Sendable, Equatable {
    let sessionID: String?
    let runID: String?

    init(sessionID: String? = nil, runID: String? = nil) {
        self.sessionID = sessionID
        self.runID = runID
    }

    /// A run's events are those of its session from its start to its end, whether they name it or not.
    func takes(_ event: LoggedEvent) -> Bool {
        if let runID { return event.runID == runID }
        if let sessionID { return event.sessionID == sessionID }
        return true
    }

    /// True for the event after which a stream of one run is over.
    func ends(with event: EngineEvent) -> Bool {
        runID != nil && event.type == RunEvent.finishedType && event.envelope?.runID == runID
    }
}

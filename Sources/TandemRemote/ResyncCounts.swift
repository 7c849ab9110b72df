internal import TandemContract
internal import TandemJSON

/// What a stream has lost and got back since it last said so.
struct ResyncCounts: Equatable, Sendable {
    /// Events that did not come; where their number cannot be known, places at which some may be missing.
    var gaps: Int64 = 0
    /// Events that came twice.
    var duplicates: Int64 = 0
    /// Events that came cut.
    var truncated: Int64 = 0
    /// How many of the missing and the cut ones were read from the run's log.
    var healed: Int64 = 0

    var isEmpty: Bool { self == ResyncCounts() }

    func event(session: String?, run: String?) -> EngineEvent {
        EngineEvent(
            type: EventName.streamResynced,
            properties: JSONWriter.object { writer in
                writer.member("gaps", gaps)
                writer.member("duplicates", duplicates)
                writer.member("truncated", truncated)
                writer.member("healed", healed)
                writer.optional("sessionID", session)
                writer.optional("runID", run)
            }
        )
    }
}

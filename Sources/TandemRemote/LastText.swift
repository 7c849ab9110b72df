internal import TandemContract
internal import TandemJSON

/// What a filtered stream knows of its run's text, a value: whether its last pieces were followed by the whole.
struct LastText {
    /// Events given since the last piece of text.
    private(set) var since: Set<String> = []
    /// The number of the last piece.
    private(set) var seq: Int64 = 0
    /// The log has been asked for what came since.
    var isAskedFor = false
    private var hasWhole = false

    private static let rememberedEvents = 256

    /// Whether the log may be asked: once, and while it is known what not to give again.
    var canBeAskedFor: Bool { !isAskedFor && since.count < LastText.rememberedEvents }

    /// Whether a run ends without its final text.
    func isMissed(at event: EngineEvent) -> Bool {
        event.endsRun && event.properties["status"]?.string == "completed" && !hasWhole && canBeAskedFor
    }

    mutating func note(_ event: EngineEvent) {
        guard let envelope = event.envelope else { return }
        if EventFrame.isFinalText(event) {
            hasWhole = true
        } else if event.properties["delta"] != nil {
            hasWhole = false
            seq = envelope.seq
            since = []
        } else if since.count < LastText.rememberedEvents {
            since.insert(envelope.eventID)
        }
    }

    /// What stands behind that number will be given anew.
    mutating func rewind(to delivered: Int64) {
        guard seq > delivered else { return }
        seq = delivered
        since = []
    }
}

package import TandemJSON

/// An event as an engine publishes it.
package struct EngineEvent: Sendable, Equatable {
    /// Where and when an event was published; what the stream's own handlers make has none.
    package struct Envelope: Sendable, Equatable {
        package let eventID: String
        package let seq: Int64
        package let occurredAtMilliseconds: Int64
        package let sessionID: String?
        package let runID: String?

        package init(
            eventID: String,
            seq: Int64,
            occurredAtMilliseconds: Int64,
            sessionID: String?,
            runID: String?
        ) {
            self.eventID = eventID
            self.seq = seq
            self.occurredAtMilliseconds = occurredAtMilliseconds
            self.sessionID = sessionID
            self.runID = runID
        }
    }

    package let type: String
    package let properties: JSONText
    package let envelope: Envelope?
    /// The frame as it came from outside, untouched.
    private let received: JSONText?

    package init(type: String, properties: JSONText, envelope: Envelope? = nil, received: JSONText? = nil) {
        self.type = type
        self.properties = properties
        self.envelope = envelope
        self.received = received
    }

    /// The event as one of that run, where its own envelope names none.
    package func belonging(to run: String?) -> EngineEvent {
        guard let run, let envelope, envelope.runID == nil else { return self }
        let complete = Envelope(
            eventID: envelope.eventID,
            seq: envelope.seq,
            occurredAtMilliseconds: envelope.occurredAtMilliseconds,
            sessionID: envelope.sessionID,
            runID: run
        )
        return EngineEvent(type: type, properties: properties, envelope: complete, received: received)
    }

    /// The event with other properties, in its frame too.
    func replacing(properties: JSONText) -> EngineEvent {
        EngineEvent(
            type: type,
            properties: properties,
            envelope: envelope,
            received: received?.replacing("properties", with: properties)
        )
    }

    /// The event as one JSON object, the way a stream carries it.
    package var frame: JSONText { received ?? made }

    private var made: JSONText {
        JSONWriter.object { writer in
            writer.member("type", type)
            writer.member("properties", properties)
            guard let envelope else { return }
            writer.member(
                "envelope",
                object: { writer in
                    writer.member("event_id", envelope.eventID)
                    writer.member("seq", envelope.seq)
                    writer.member("schema_version", 1)
                    writer.member("occurred_at_ms", envelope.occurredAtMilliseconds)
                    writer.optional("session_id", envelope.sessionID)
                    writer.optional("run_id", envelope.runID)
                    writer.optional("tenant_context", properties["tenantContext"])
                }
            )
        }
    }
}

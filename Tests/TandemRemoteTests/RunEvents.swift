import TandemContract
import TandemJSON

/// Events of one run, as tests of what a lane is made of need them.
enum RunEvents {
    static func event(_ type: String, seq: Int64?, _ properties: JSONText = .emptyObject, id: String? = nil)
        -> EngineEvent
    {
        let envelope = seq.map { seq in
            EngineEvent.Envelope(
                eventID: id ?? "e\(seq)",
                seq: seq,
                occurredAtMilliseconds: 0,
                sessionID: "s",
                runID: "r"
            )
        }
        return EngineEvent(type: type, properties: properties, envelope: envelope)
    }

    static func status(_ seq: Int64) -> EngineEvent { event("session.status", seq: seq) }

    static func end(_ seq: Int64, status: String = "completed") -> EngineEvent {
        event("session.run.finished", seq: seq, JSONWriter.object { $0.member("status", status) })
    }

    static func delta(_ seq: Int64, _ text: String = "piece") -> EngineEvent {
        event("message.part.updated", seq: seq, JSONWriter.object { $0.member("delta", text) })
    }

    static func wholeText(_ seq: Int64) -> EngineEvent {
        let properties = JSONWriter.object { writer in
            writer.member(
                "part",
                object: { writer in
                    writer.member("type", "text")
                    writer.member("text", "whole")
                }
            )
        }
        return event("message.part.updated", seq: seq, properties)
    }
}

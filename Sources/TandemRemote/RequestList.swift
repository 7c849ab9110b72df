internal import TandemContract
internal import TandemJSON

/// The permissions or questions that an engine lists, as the events that a stream may have missed.
struct RequestList {
    struct Entry {
        let sessionID: String?
        let isPending: Bool
        let asked: EngineEvent
        let settled: EngineEvent
    }

    let isOfQuestions: Bool
    let entries: [String: Entry]

    /// nil for an answer that is no list; `now` in milliseconds since 1970.
    init?(permissions json: JSONText?, now: Int64) {
        guard let rows = json?["requests"], rows.kind == .array else { return nil }
        isOfQuestions = false
        entries = RequestList.entries(rows) { row in
            let status = row["status"]?.string
            return Entry(
                sessionID: row["sessionID"]?.string,
                isPending: status == "pending" && RequestList.isFresh(row, now),
                asked: RequestList.event(EngineEventName.permissionAsked, row, id: "requestID"),
                settled: EngineEvent(
                    type: EngineEventName.permissionReplied,
                    properties: JSONWriter.object { writer in
                        writer.optional("requestID", row["id"])
                        writer.optional("sessionID", row["sessionID"])
                        writer.nullable("reply", status == "pending" ? "expired" : status)
                        writer.nullable("decidedBy", row["decidedBy"])
                        writer.nullable("decidedAtMs", row["decidedAtMs"])
                    }
                )
            )
        }
    }

    init?(questions json: JSONText?, now: Int64) {
        guard let rows = json, rows.kind == .array else { return nil }
        isOfQuestions = true
        entries = RequestList.entries(rows) { row in
            Entry(
                sessionID: row["sessionID"]?.string,
                isPending: RequestList.isFresh(row, now),
                asked: RequestList.event(EngineEventName.questionAsked, row, id: "id"),
                settled: RequestList.settledQuestion(row["id"]?.string ?? "", row["sessionID"]?.string)
            )
        }
    }

    /// What tells of the end of a request that is listed no more.
    static func settled(_ id: String, isQuestion: Bool, sessionID: String?) -> EngineEvent {
        if isQuestion { return settledQuestion(id, sessionID) }
        return EngineEvent(
            type: EngineEventName.permissionReplied,
            properties: JSONWriter.object { writer in
                writer.member("requestID", id)
                writer.optional("sessionID", sessionID)
            }
        )
    }

    private static func settledQuestion(_ id: String, _ sessionID: String?) -> EngineEvent {
        EngineEvent(
            type: EngineEventName.questionReplied,
            properties: JSONWriter.object { writer in
                writer.member("id", id)
                writer.optional("sessionID", sessionID)
            }
        )
    }

    private static func entries(_ rows: JSONText, _ make: (JSONText) -> Entry) -> [String: Entry] {
        var entries: [String: Entry] = [:]
        for row in rows.elements { if let id = row["id"]?.string { entries[id] = make(row) } }
        return entries
    }

    private static func isFresh(_ row: JSONText, _ now: Int64) -> Bool {
        row["expiresAtMs"]?.integer.map { $0 > now } ?? true
    }

    /// The row as the event has it: the identifier under another name, nothing left out.
    private static func event(_ type: String, _ row: JSONText, id: String) -> EngineEvent {
        EngineEvent(
            type: type,
            properties: JSONWriter.object { writer in
                for (name, value) in row.members { writer.member(name == "id" ? id : name, value) }
            }
        )
    }
}

import TandemContract
import TandemJSON

@testable import TandemRemote

/// An engine as a value in virtual time: a bus that drops and cuts, a log that is written behind, requests, restarts.
struct SimulatedEngine {
    struct Published {
        let event: EngineEvent
        /// What its row holds, where that is more.
        var whole: JSONText?
        /// When its row is in the log.
        let loggedAt: UInt64
        let epoch: Int
        /// In order of publishing, over all epochs.
        let position: Int
    }

    struct Permission {
        let id: String
        let session: String
        let expiresAt: Int64
        var status = "pending"
    }

    private(set) var published: [Published] = []
    private(set) var epoch = 0
    private(set) var permissions: [Permission] = []
    private(set) var active: [String: String] = [:]
    private var rows: [String: [Published]] = [:]
    private var seq: Int64 = 0
    private var ids = 0
    private var lastLogged: UInt64 = 0
    /// Between an event and its row, beside 600 rows a second.
    var logDelay: UInt64 = 0
    var rowNanoseconds: UInt64 = 1_000_000_000 / 600
    var isLogWritten = true

    static let broadcast = 2_048
    static let frameBytes = 16_000
    static let deltaBytes = 4_000

    /// `runID`: nil for an event that does not name its run, as permissions and status do.
    mutating func publish(
        _ type: String,
        session: String,
        run: String,
        namesRun: Bool = true,
        whole: JSONText? = nil,
        now: UInt64,
        _ body: (inout JSONWriter) -> Void = { _ in }
    ) {
        seq += 1
        ids += 1
        let properties = JSONWriter.object { writer in
            body(&writer)
            if namesRun { writer.member("runID", run) }
            writer.member("sessionID", session)
        }
        let event = EngineEvent(
            type: type,
            properties: properties,
            envelope: .init(
                eventID: "event-\(ids)",
                seq: seq,
                occurredAtMilliseconds: Int64(now / 1_000_000),
                sessionID: session,
                runID: namesRun ? run : nil
            )
        )
        lastLogged = max(lastLogged + rowNanoseconds, now + logDelay)
        published.append(
            .init(event: event, whole: whole, loggedAt: lastLogged, epoch: epoch, position: published.count)
        )
        let last = published[published.count - 1]
        if namesRun || active[session] == run { rows[run, default: []].append(last) }
        switch type {
        case "session.run.started": active[session] = run
        case "session.run.finished": if active[session] == run { active[session] = nil }
        default: break
        }
    }

    mutating func ask(_ id: String, session: String, run: String, now: UInt64) {
        permissions.append(.init(id: id, session: session, expiresAt: Int64(now / 1_000_000) + 900_000))
        publish("permission.asked", session: session, run: run, namesRun: false, now: now) { writer in
            writer.member("requestID", id)
            writer.member("tool", "write")
            writer.member("args", .emptyObject)
        }
    }

    mutating func reply(_ id: String, session: String, run: String, now: UInt64) {
        for index in permissions.indices where permissions[index].id == id { permissions[index].status = "once" }
        publish("permission.replied", session: session, run: run, namesRun: false, now: now) { writer in
            writer.member("requestID", id)
            writer.member("reply", "once")
        }
    }

    /// Runs, numbers and rows that were not written yet are gone.
    mutating func restart(now: UInt64) {
        epoch += 1
        seq = 0
        active = [:]
        for index in permissions.indices where permissions[index].status == "pending" {
            permissions[index].status = "runtime_restarted"
        }
        published = published.filter { $0.loggedAt <= now }.enumerated().map { position, old in
            .init(event: old.event, whole: old.whole, loggedAt: old.loggedAt, epoch: old.epoch, position: position)
        }
        rows = rows.mapValues { $0.filter { $0.loggedAt <= now } }
        lastLogged = now
    }
}

// What it answers.
extension SimulatedEngine {
    /// A frame as the wire has it: cut where it is too long.
    static func frame(_ event: EngineEvent) -> [UInt8] {
        var bytes = Array(event.frame.bytes)
        if bytes.count > frameBytes {
            var end = frameBytes
            while end > 0, bytes[end] & 0xC0 == 0x80 { end -= 1 }
            bytes = Array(bytes[..<end]) + Array("...<truncated>".utf8)
        }
        return Array("data: ".utf8) + bytes + Array("\n\n".utf8)
    }

    func log(_ run: String, after: Int64, now: UInt64) -> JSONText {
        let all = rows[run] ?? []
        let first = all.firstIndex { $0.event.envelope?.seq ?? 0 > after } ?? all.count
        let rows = all[first...].prefix(LogPage.limit).prefix { $0.loggedAt <= now }
        return JSONWriter.object { writer in
            writer.member("run_id", run)
            writer.member(
                "events",
                array: { writer in
                    for row in rows { writer.object { Self.write(row, of: run, to: &$0) } }
                }
            )
        }
    }

    private static func write(_ row: Published, of run: String, to writer: inout JSONWriter) {
        let event = row.event
        writer.member("event_type", event.type)
        writer.member("payload", row.whole ?? event.properties)
        writer.member("event_id", event.envelope?.eventID ?? "")
        writer.member("seq", event.envelope?.seq ?? 0)
        writer.member("occurred_at_ms", event.envelope?.occurredAtMilliseconds ?? 0)
        writer.member("session_id", event.envelope?.sessionID ?? "")
        writer.member("run_id", run)
    }

    func activeRun(_ session: String) -> JSONText {
        JSONWriter.object { writer in
            guard let run = active[session] else { return writer.member("active", .null) }
            writer.member("active", object: { $0.member("runID", run) })
        }
    }

    var permissionList: JSONText {
        JSONWriter.object { writer in
            writer.member(
                "requests",
                array: { writer in
                    for permission in permissions {
                        writer.object { writer in
                            writer.member("id", permission.id)
                            writer.member("sessionID", permission.session)
                            writer.member("status", permission.status)
                            writer.member("expiresAtMs", permission.expiresAt)
                            writer.member("tool", "write")
                            writer.member("args", .emptyObject)
                        }
                    }
                }
            )
        }
    }
}

internal import TandemContract
internal import TandemJSON

/// What runs wait for their user to decide, as an engine's events and lists tell it, and what of it the host is asked: a
/// value.
struct OpenDecisions: Sendable {
    enum Kind: Sendable, Equatable, CaseIterable { case permission, question }

    struct Request: Sendable, Equatable {
        let kind: Kind
        let id: String
        let sessionID: String?
        let runID: String?
        /// The tool that asks for a permission.
        let name: String
        let input: JSONText
        let expiresAtMilliseconds: Int64?
    }

    enum Action: Sendable, Equatable {
        case ask(Request)
        /// The host need not decide that any more.
        case cancel(Request, reason: String)
        case list(Kind)
    }

    /// Kinds that the host decides.
    private(set) var wanted: [Kind] = []
    private var isConnected = false
    private var open: [String: Request] = [:]
    /// The latest that the host has decided, in a ring: a list may have been made before the engine knew.
    private var decided: [String] = []
    private var oldestDecided = 0
    /// What was open when a list was asked for: what it does not name is over.
    private var before: [Kind: Set<String>] = [:]
    /// An engine whose runs wait for the answers of questions asks nothing any more when the run is over.
    var questionsWait = false

    /// The host decides other kinds than before.
    mutating func want(_ kinds: [Kind]) -> [Action] {
        let new = kinds.filter { !wanted.contains($0) }
        wanted = kinds
        open = open.filter { kinds.contains($0.value.kind) }
        return isConnected ? new.flatMap { list($0) } : []
    }

    /// The stream is gone; what is open is looked at again when it is back.
    mutating func disconnected() { isConnected = false }

    private static let rememberedDecisions = 256

    /// The host has replied.
    mutating func decide(_ id: String) {
        guard open.removeValue(forKey: id) != nil else { return }
        guard decided.count >= OpenDecisions.rememberedDecisions else { return decided.append(id) }
        decided[oldestDecided] = id
        oldestDecided = (oldestDecided + 1) % OpenDecisions.rememberedDecisions
    }

    /// The host could not be asked, or the engine did not get its reply: the next list may bring it back.
    mutating func forget(_ id: String) {
        open[id] = nil
        for place in decided.indices where decided[place] == id { decided[place] = "" }
    }

    mutating func heard(_ event: EngineEvent) -> [Action] {
        let properties = event.properties
        switch event.type {
        case EngineEventName.engineLifecycleReady, EngineEventName.serverConnected:
            // Twice where both come; the second list finds what the first has found.
            isConnected = true
            return event.type == EngineEventName.engineLifecycleReady ? wanted.flatMap { list($0) } : []
        case EngineEventName.permissionAsked: return ask(.permission, event)
        case EngineEventName.questionAsked: return ask(.question, event)
        case EngineEventName.permissionReplied: return over(properties["requestID"]?.string, "resolved")
        case EngineEventName.questionReplied: return over(properties["id"]?.string, "resolved")
        case EngineEventName.permissionWaitTimeout: return over(properties["requestID"]?.string, "expired")
        case EngineEventName.sessionRunFinished: return ended(event)
        default: return []
        }
    }

    /// The engine's own list; of permissions it also names what is settled.
    mutating func listed(_ kind: Kind, _ records: [JSONText], atMilliseconds now: Int64) -> [Action] {
        let pending = records.filter { record in
            record["status"]?.string ?? "pending" == "pending" && record["expiresAtMs"]?.integer ?? .max > now
        }
        let requests = pending.compactMap { record in
            OpenDecisions.request(kind, record, sessionID: record["sessionID"]?.string, runID: nil)
        }
        let named = Set(requests.map(\.id))
        let gone = (before.removeValue(forKey: kind) ?? []).subtracting(named).sorted()
        return gone.flatMap { over($0, "gone") } + requests.flatMap { ask($0) }
    }

    private mutating func list(_ kind: Kind) -> [Action] {
        before[kind] = Set(open.values.filter { $0.kind == kind }.map(\.id))
        return [.list(kind)]
    }

    private mutating func ask(_ kind: Kind, _ event: EngineEvent) -> [Action] {
        let session = event.envelope?.sessionID ?? event.properties["sessionID"]?.string
        let run = event.envelope?.runID ?? event.properties["runID"]?.string
        return OpenDecisions.request(kind, event.properties, sessionID: session, runID: run).map { ask($0) } ?? []
    }

    private mutating func ask(_ request: Request) -> [Action] {
        guard wanted.contains(request.kind), open[request.id] == nil, !decided.contains(request.id) else { return [] }
        open[request.id] = request
        return [.ask(request)]
    }

    private mutating func over(_ id: String?, _ reason: String) -> [Action] {
        guard let id, let request = open.removeValue(forKey: id) else { return [] }
        return [.cancel(request, reason: reason)]
    }

    private mutating func ended(_ event: EngineEvent) -> [Action] {
        let session = event.envelope?.sessionID ?? event.properties["sessionID"]?.string
        let its = open.values.filter { request in
            request.sessionID == session && session != nil && (request.kind == .permission || questionsWait)
        }
        return its.map(\.id).sorted().flatMap { over($0, "the run is over") }
    }

    /// A request as the host sees it: under the names of the documented events.
    private static func request(_ kind: Kind, _ record: JSONText, sessionID: String?, runID: String?) -> Request? {
        guard let id = record["requestID"]?.string ?? record["id"]?.string else { return nil }
        let input = JSONWriter.object { writer in
            writer.member("request_id", id)
            switch kind {
            case .permission:
                writer.member("tool", record["tool"] ?? .null)
                writer.member("args", record["args"] ?? .null)
                writer.member("requested_at_ms", record["requestedAtMs"] ?? .null)
                writer.member("expires_at_ms", record["expiresAtMs"] ?? .null)
            case .question: writer.member("questions", record["questions"] ?? .emptyArray)
            }
        }
        return Request(
            kind: kind,
            id: id,
            sessionID: sessionID,
            runID: runID,
            name: kind == .permission ? record["tool"]?.string ?? "" : "",
            input: input,
            expiresAtMilliseconds: record["expiresAtMs"]?.integer
        )
    }
}

extension OpenDecisions {
    /// The answers to one or several questions as the one text that an engine takes.
    static func text(ofAnswers answers: JSONText) -> JSONText {
        JSONText(string: answers.answerText)
    }
}

extension JSONText {
    static let reject = JSONText(string: "reject")
}

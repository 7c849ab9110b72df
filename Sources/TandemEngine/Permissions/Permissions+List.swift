internal import TandemContract
internal import TandemJSON
internal import TandemStore

extension Permissions {
    /// All requests, whatever became of them, the rules of all sessions, and the decisions.
    @Sendable static func list(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        let store = reading.connection
        let (requests, rules) = try stored { () throws(StoreError) in
            (
                try PermissionStore.all(in: store),
                try store.all("SELECT id, permission FROM sessions WHERE length(permission) > 2 ORDER BY number") {
                    (session: $0.text(0), rules: JSONText(trusted: $0.bytes(1)))
                }
            )
        }
        return .json(
            JSONWriter.object { writer in
                writer.member(
                    "requests",
                    array: { writer in
                        for request in requests { writer.object { write(request, to: &$0) } }
                    }
                )
                writer.member(
                    "rules",
                    array: { writer in
                        for (session, rules) in rules {
                            for rule in rules.elements { write(rule, of: session, to: &writer) }
                        }
                    }
                )
                writer.member(
                    "decisions",
                    array: { writer in
                        for request in requests where request.decidedMilliseconds != nil {
                            writer.object { writeDecision(request, to: &$0) }
                        }
                    }
                )
            }
        )
    }

    private static func write(_ request: PermissionRequest, to writer: inout JSONWriter) {
        writer.member("id", request.id)
        writer.member("sessionID", request.sessionID)
        writer.member("permission", request.tool)
        writer.member("pattern", request.tool)
        writer.member("tool", request.tool)
        writer.member("args", request.arguments)
        writer.member("argsSource", "provider_json")
        writer.member("argsIntegrity", "ok")
        writer.member("status", request.status)
        writer.member("requestedAtMs", request.requestedMilliseconds)
        writer.member("expiresAtMs", request.expiresMilliseconds)
        writer.optional("decidedAtMs", request.decidedMilliseconds)
        writer.optional("decidedBy", request.decidedBy)
        writer.optional("decisionReason", reason(of: request))
        writer.member("actionDigest", request.digest)
        writer.member("tenantContext", EngineContext.tenant)
    }

    /// What the engine settles by itself it names by what became of the request.
    private static func reason(of request: PermissionRequest) -> String? {
        switch request.decidedBy {
        case nil: nil
        case "system": request.status
        case "host": "host_permission_reply"
        default: "http_permission_reply"
        }
    }

    private static func write(_ rule: JSONText, of session: String, to writer: inout JSONWriter) {
        writer.object { writer in
            for (key, value) in rule.members { writer.member(key, value) }
            writer.member("sessionID", session)
            writer.member("tenantContext", EngineContext.tenant)
        }
    }

    private static func writeDecision(_ request: PermissionRequest, to writer: inout JSONWriter) {
        writer.member("requestID", request.id)
        writer.member("sessionID", request.sessionID)
        writer.member("permission", request.tool)
        writer.member("pattern", request.tool)
        writer.member("decision", request.status)
        writer.nullable("decidedAtMs", request.decidedMilliseconds)
        writer.nullable("decidedBy", request.decidedBy)
        writer.nullable("reason", reason(of: request))
        writer.optional("standingRuleID", request.ruleID)
        writer.member("standingRulePersisted", request.ruleID != nil)
        writer.member("actionDigest", request.digest)
        writer.member("tenantContext", EngineContext.tenant)
    }
}

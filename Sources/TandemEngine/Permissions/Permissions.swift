internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

/// Requests for permissions, and their answers.
enum Permissions {
    static let migrations = PermissionStore.migrations

    static let handlers: [Handler] = [
        .read(.permissionsList, list),
        .write(.permissionsReply, reply),
        .write(.permissionsApproveToolCall, approve),
        .write(.permissionsDenyToolCall, deny),
    ]

    private static let replies = ["once", "always", "allow", "reject", "deny"]

    @Sendable private static func reply(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        try refuseAgents(request)
        let word = try Fields(body: request.body).required("reply")
        guard replies.contains(word) else {
            throw .reply(
                .refusal(
                    400,
                    code: "APPROVAL_REPLY_INVALID",
                    message: "reply has to be one of \(replies.joined(separator: ", ")), not `\(word)`"
                )
            )
        }
        let answered = try answer(request.path("request_id"), word, session: nil, batch)
        return .json(
            JSONWriter.object { writer in
                writer.member("ok", true)
                writer.member("requestID", answered.id)
                writer.member("reply", word)
                writer.member("status", "applied")
                writer.member("persistedRule", answered.ruleID != nil)
                writer.nullable("standingRuleID", answered.ruleID)
            }
        )
    }

    @Sendable private static func approve(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        try decide(batch, request, "allow")
    }

    @Sendable private static func deny(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        try decide(batch, request, "deny")
    }

    private static func decide(_ batch: Batch, _ request: Request, _ word: String) throws(Halt) -> Reply {
        try refuseAgents(request)
        _ = try answer(request.path("tool_call_id"), word, session: request.path("session_id"), batch)
        return .json(JSONWriter.object { $0.member("ok", true) })
    }

    /// An agent must not allow itself anything.
    static func refuseAgents(_ request: Request) throws(Halt) {
        guard let agent = request.header("x-tandem-agent-id"), !agent.isEmpty else { return }
        throw .reply(.refusal(403, code: "TENANT_CONTEXT_DENIED", message: "an agent cannot decide this"))
    }

    /// Settles a request: its run goes on after the commit.
    private static func answer(
        _ id: String,
        _ word: String,
        session: String?,
        _ batch: Batch
    ) throws(Halt) -> PermissionRequest {
        let found = try stored { () throws(StoreError) in try PermissionStore.find(id, in: batch.store) }
        guard var request = found, session == nil || session == request.sessionID else {
            throw .reply(
                .refusal(404, code: "APPROVAL_REQUEST_NOT_FOUND", message: "there is no such permission request")
            )
        }
        guard request.status == PermissionRequest.Status.pending else {
            throw .reply(
                .refusal(
                    409,
                    code: "APPROVAL_REPLY_INVALID",
                    message: "the permission request is settled already: \(request.status)"
                )
            )
        }
        return try stored { () throws(StoreError) in
            request.status = word
            request.decidedMilliseconds = batch.context.clock.milliseconds
            request.decidedBy = "host"
            if ["always", "allow"].contains(word) { request.ruleID = try addRule(request, batch) }
            try PermissionStore.update(request, in: batch.store)
            try publish(request, batch)
            if var run = batch.run(request.run), run.pendingRequest == request.id {
                run.pendingRequest = nil
                try batch.step(run, .permitted(!["reject", "deny"].contains(word)))
            }
            return request
        }
    }

    /// Makes a rule of the session of it; its id.
    private static func addRule(_ request: PermissionRequest, _ batch: Batch) throws(StoreError) -> String? {
        guard var session = try SessionStore.find(request.sessionID, in: batch.store) else { return nil }
        let rule = PermissionRules.rule(
            request.tool,
            request.tool,
            "allow",
            batch.context,
            createdBy: "host",
            request: request.id
        )
        session.permission = PermissionRules.add(rule, to: session.permission)
        try SessionStore.update(session, in: batch.store)
        return rule["id"]?.string
    }

    private static func publish(_ request: PermissionRequest, _ batch: Batch) throws(StoreError) {
        try batch.publish(
            EngineEventName.permissionReplied,
            session: request.sessionID,
            run: batch.run(request.run).map { ($0.number, $0.runID) },
            JSONWriter.object { writer in
                writer.member("sessionID", request.sessionID)
                writer.member("requestID", request.id)
                writer.member("reply", request.status)
                writer.nullable("decidedAtMs", request.decidedMilliseconds)
                writer.nullable("decidedBy", request.decidedBy)
                writer.nullable("standingRuleID", request.ruleID)
                writer.member("standingRulePersisted", request.ruleID != nil)
                writer.member("actionDigest", request.digest)
            }
        )
    }
}

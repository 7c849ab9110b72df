internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

extension Sessions {
    @Sendable static func create(_ batch: Batch, _ request: Request) throws(Halt) -> Reply {
        let fields = try Fields(body: request.body)
        let session = try record(fields, batch.context)
        try stored { () throws(StoreError) in
            try SessionStore.insert(session, into: batch.store)
            try batch.publish(
                EngineEventName.sessionCreated,
                session: session.id,
                JSONWriter.object { writer in
                    writer.member("sessionID", session.id)
                    writer.member("projectID", session.projectID)
                    writer.member("tenantContext", EngineContext.tenant)
                }
            )
        }
        return .json(session.wire)
    }

    private static func record(_ fields: Fields, _ context: EngineContext) throws(Halt) -> SessionRecord {
        let place = Place(
            workspaceRoot: try fields.string("workspace_root"),
            directory: try fields.string("directory"),
            context
        )
        let base = context.workspace ?? context.workingDirectory
        let now = context.clock.milliseconds
        var session = SessionRecord(
            id: context.random.uuid(),
            title: try fields.string("title") ?? SessionRecord.untitled,
            directory: place.directory,
            workspaceRoot: place.directory,
            hasDirectory: place.isNamed,
            pinnedWorkspace: try fields.string("pinned_workspace_id", "pinnedWorkspaceID").map {
                Path.normalized($0, in: base)
            },
            projectID: projectID(place.directory),
            createdMilliseconds: now,
            updatedMilliseconds: now
        )
        if let model = try fields.object("model") { session.model = try ModelReference(model) }
        session.provider = try fields.string("provider")
        session.sampling = try Prompt.Sampling(fields)
        session.sourceKind = try fields.string("source_kind", "sourceKind") ?? "chat"
        session.sourceMetadata = fields.value("source_metadata", "sourceMetadata")
        let rules = fields.value("permission")
        guard rules.map({ $0.kind == .array }) ?? true else {
            throw .reply(fields.refusal("permission", "has to be an array"))
        }
        session.permission = PermissionRules.add(rules?.elements ?? [], to: .emptyArray, context)
        _ = try fields.string("project_id")
        return session
    }

    /// Follows from the path, in any case of its letters.
    static func projectID(_ directory: String) -> String {
        "workspace-" + SHA256.hexadecimal(directory.lowercased()).prefix(12)
    }
}

/// Where a session works.
private struct Place {
    let directory: String
    /// The host named it, here or when it opened the engine.
    let isNamed: Bool

    init(workspaceRoot: String?, directory: String?, _ context: EngineContext) {
        let base = context.workspace ?? context.workingDirectory
        let named = [workspaceRoot, directory].compactMap(\.self).first { !$0.isEmpty && $0 != "." }
        self.directory = Path.normalized(named ?? base, in: base)
        isNamed = named != nil || context.workspace != nil
    }
}

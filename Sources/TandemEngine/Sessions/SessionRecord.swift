internal import TandemJSON
internal import TandemStore

/// One session as it is stored.
struct SessionRecord {
    var number: Int64 = 0
    let id: String
    var title: String
    let directory: String
    let workspaceRoot: String
    /// False when nobody named a directory: the session then works in none, whatever the wire shows.
    let hasDirectory: Bool
    let pinnedWorkspace: String?
    let projectID: String
    let createdMilliseconds: Int64
    var updatedMilliseconds: Int64
    var isArchived = false
    var model: ModelReference?
    var provider: String?
    var sampling = Prompt.Sampling()
    var sourceKind = "chat"
    var sourceMetadata: JSONText?
    var permission = JSONText.emptyArray

    static let untitled = "New session"

    /// The wire form up to its messages: what is stored and spliced.
    var wireHead: [UInt8] {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("id", id)
            writer.member("version", "v1")
            writer.member("projectID", projectID)
            writer.member("directory", directory)
            writer.member("workspaceRoot", workspaceRoot)
            writer.optional("pinnedWorkspaceID", pinnedWorkspace)
            writer.member("title", title)
            writer.member(
                "time",
                object: { writer in
                    writer.member("created", createdMilliseconds / 1000)
                    writer.member("updated", updatedMilliseconds / 1000)
                }
            )
            if let model {
                writer.member(
                    "model",
                    object: { writer in
                        writer.member("providerID", model.providerID)
                        writer.member("modelID", model.modelID)
                    }
                )
            }
            writer.optional("provider", provider)
            writer.member("sourceKind", sourceKind)
            writer.optional("sourceMetadata", sourceMetadata)
            writer.member("environment", EngineContext.environment)
            writer.member("messages", JSONText.emptyArray)
        }
        return Array(writer.bytes.dropLast("]}".utf8.count))
    }

    static let wireEnd = Array("]}".utf8)

    var wire: JSONText { JSONText(trusted: wireHead + SessionRecord.wireEnd) }

    /// The engine's inner form, which changing a session answers.
    func raw(messages: JSONText) -> JSONText {
        JSONWriter.object { writer in
            writer.member("id", id)
            writer.nullable("slug", String?.none)
            writer.member("version", "v1")
            writer.member("project_id", projectID)
            writer.member("title", title)
            writer.member("directory", directory)
            writer.member("workspace_root", workspaceRoot)
            writer.optional("pinned_workspace_id", pinnedWorkspace)
            writer.member("tenant_context", EngineContext.tenant)
            writer.member(
                "time",
                object: { writer in
                    writer.member("created", Timestamp.text(milliseconds: createdMilliseconds))
                    writer.member("updated", Timestamp.text(milliseconds: updatedMilliseconds))
                }
            )
            writer.nullable(
                "model",
                model.map { model in
                    JSONWriter.object { writer in
                        writer.member("provider_id", model.providerID)
                        writer.member("model_id", model.modelID)
                    }
                }
            )
            writer.nullable("provider", provider)
            writer.optional("temperature", sampling.temperature)
            writer.optional("top_p", sampling.topP)
            writer.optional("max_tokens", sampling.maxTokens.map { Int64($0) })
            writer.member("source_kind", sourceKind)
            writer.optional("source_metadata", sourceMetadata)
            writer.member("environment", EngineContext.environment)
            writer.member("messages", messages)
        }
    }

    /// What a search looks into: title and directory in lower case.
    var searchText: String { title.lowercased() + "\n" + directory.lowercased() }

    /// Spellings of a source that mean the same.
    static func normalizedSource(_ source: String) -> String {
        String(source.lowercased().map { $0 == "-" ? "_" : $0 })
    }

    /// Takes the first line of a prompt as title, where there is none yet.
    mutating func takeTitle(from prompt: String) {
        guard title.isEmpty || title == SessionRecord.untitled else { return }
        for line in prompt.split(whereSeparator: \.isNewline) {
            let start = line.drop(while: \.isWhitespace)
            if start.isEmpty { continue }
            title = String(start.prefix(60))
            return
        }
    }
}

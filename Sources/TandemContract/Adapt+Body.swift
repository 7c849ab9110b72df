internal import TandemJSON

/// Translations that look at the whole body: they move members, and fill in what engines want and callers need not know.
struct BodyAdapts {
    let operation: Operation
    let path: (String) -> String
    /// Whether the client acts for the owner, who may promote what the engine remembers.
    let actsForOwner: Bool
    let now: Int64
    var body: [(key: String, value: JSONText)]

    mutating func apply() throws(Failure) {
        let isPromotion = operation.arguments.contains { $0.adapt == "memory_promotion" }
        if isPromotion { adaptCapability() }
        for argument in operation.arguments {
            switch argument.adapt {
            case "from_path" where argument.place == .body:
                if !path(argument.name).isEmpty { fill(argument.wire, JSONText(string: path(argument.name))) }
            case "text_content": rename(argument.wire, "content")
            case "memory_partition", "memory_promotion": complete(argument)
            case "memory_metadata": try move(argument.wire, into: "metadata")
            default: break
            }
        }
        if isPromotion, actsForOwner { fill("capability", capability) }
    }

    private subscript(_ key: String) -> JSONText? { body.last { $0.key == key }?.value }

    private mutating func fill(_ key: String, _ value: JSONText) {
        if self[key] == nil { body.append((key, value)) }
    }

    private mutating func take(_ key: String) -> JSONText? {
        let value = self[key]
        body.removeAll { $0.key == key }
        return value
    }

    private mutating func rename(_ old: String, _ new: String) {
        if let value = take(old) { fill(new, value) }
    }

    private mutating func move(_ key: String, into outer: String) throws(Failure) {
        guard let value = take(key) else { return }
        if let metadata = self[outer], metadata.kind != .object {
            throw Failure(.invalidArgument, "\(outer) is no object, so \(key) has no place in it")
        }
        let metadata = (take(outer) ?? .emptyObject).adding(key, value)
        body.append((outer, metadata))
    }

    private mutating func complete(_ argument: Operation.Argument) {
        switch argument.wire {
        case "run_id": fill("run_id", scope("run_id", else: "local"))
        case "partition": completePartition()
        case "kind": fill("kind", JSONText(string: "note"))
        case "classification": fill("classification", JSONText(string: "internal"))
        case "id" where argument.adapt == "memory_promotion": rename("id", "source_memory_id")
        case "from_tier": fill("from_tier", JSONText(string: "session"))
        case "to_tier": fill("to_tier", JSONText(string: "project"))
        case "reason": fill("reason", JSONText(string: "promoted by the owner"))
        case "review": fill("review", JSONWriter.object { $0.member("required", false) })
        default: break
        }
    }

    private mutating func completePartition() {
        var partition = take("partition") ?? .emptyObject
        if partition.kind == .object {
            partition = partition.adding("org_id", scope("org_id", else: "local"))
                .adding("workspace_id", scope("workspace_id", else: "local"))
                .adding("project_id", scope("project_id", else: "default"))
                .adding("tier", JSONText(string: "session"))
        }
        body.append(("partition", partition))
    }

    private mutating func adaptCapability() {
        guard let given = take("capability") else { return }
        body.append(("capability", Adapt.jsonText(given)))
    }

    /// A grant for this one call: an engine promotes nothing without one that names the target tier.
    private var capability: JSONText {
        JSONWriter.object { writer in
            writer.member("run_id", self["run_id"] ?? .null)
            writer.member("subject", "default")
            for name in ["org_id", "workspace_id", "project_id"] {
                writer.member(name, self["partition"]?[name] ?? .null)
            }
            writer.member(
                "memory",
                object: { writer in
                    writer.member("read_tiers", array: { $0.strings("session", "project") })
                    writer.member("write_tiers", array: { $0.strings("session") })
                    writer.member("promote_targets", array: { $0.value(self["to_tier"] ?? .null) })
                    writer.member("require_review_for_promote", false)
                    writer.member("allow_auto_use_tiers", array: { _ in })
                }
            )
            writer.member("expires_at", now.addingReportingOverflow(3_600_000).partialValue)
        }
    }

    /// What the capability says, where there is one.
    private func scope(_ name: String, else standard: String) -> JSONText {
        self["capability"]?[name] ?? JSONText(string: standard)
    }
}

extension JSONWriter {
    fileprivate mutating func strings(_ texts: String...) { for text in texts { string(text) } }
}

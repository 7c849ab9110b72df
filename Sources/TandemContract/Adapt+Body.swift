internal import TandemJSON

/// Translations that look at the whole body: they move members, and fill in what engines want and callers need not know.
struct BodyAdapts {
    let operation: Operation
    let path: (String) -> String
    var body: [(key: String, value: JSONText)]

    mutating func apply() {
        for argument in operation.arguments {
            switch argument.adapt {
            case "from_path" where argument.place == .body:
                if !path(argument.name).isEmpty { fill(argument.wire, Adapt.text(path(argument.name))) }
            case "text_content": rename(argument.wire, "content")
            case "routine_filter": rename(argument.wire, "routine_id")
            case "memory_partition", "memory_promotion": complete(argument)
            case "memory_metadata": move(argument.wire, into: "metadata")
            default: break
            }
        }
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

    private mutating func move(_ key: String, into outer: String) {
        if let metadata = self[outer], metadata.kind != .object { return }
        guard let value = take(key) else { return }
        let metadata = (take(outer) ?? .emptyObject).adding(key, value)
        body.append((outer, metadata))
    }

    private mutating func complete(_ argument: Operation.Argument) {
        switch argument.wire {
        case "run_id": fill("run_id", scope("run_id", else: "local"))
        case "partition": completePartition()
        case "kind": fill("kind", Adapt.text("note"))
        case "classification": fill("classification", Adapt.text("internal"))
        case "id" where argument.adapt == "memory_promotion": rename("id", "source_memory_id")
        case "from_tier": fill("from_tier", Adapt.text("session"))
        case "to_tier": fill("to_tier", Adapt.text("project"))
        case "reason": fill("reason", Adapt.text("promoted by the owner"))
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
                .adding("tier", Adapt.text("session"))
        }
        body.append(("partition", partition))
    }

    /// What the capability says, where there is one.
    private func scope(_ name: String, else standard: String) -> JSONText {
        self["capability"]?[name] ?? Adapt.text(standard)
    }
}

internal import TandemJSON

// Translations that look at nothing but the value.
extension Adapt {
    /// Texts that have another name for engines.
    static let renamed: [String: [String: String]] = [
        "skill_location": ["workspace": "project", "user": "global", "builtin": "global"],
        "instance_status": ["active": "running"],
        "agent_role": ["builder": "worker"],
        "optimization_action": [
            "queue_replay": "queue_baseline_replay", "approve": "approve_winner", "reject": "reject_winner",
        ],
    ]

    static func renaming(_ value: JSONText, _ names: [String: String]) -> JSONText {
        value.string.flatMap { names[$0] }.map(JSONText.init(string:)) ?? value
    }

    static func approval(_ name: String, _ value: JSONText) -> JSONText {
        guard name == "approve_or_reject", let isApproved = value.boolean else { return value }
        return JSONText(string: isApproved ? "approve" : "reject")
    }

    /// A text becomes the innermost member; anything else stays.
    static func wrapped(_ value: JSONText, in names: [String]) -> JSONText {
        guard value.kind == .string else { return value }
        return names.reversed().reduce(value) { inner, name in JSONWriter.object { $0.member(name, inner) } }
    }

    static func misfire(_ value: JSONText) -> JSONText {
        guard let policy = value["misfire_policy"], policy.kind == .string else { return value }
        return value.replacing("misfire_policy", with: wrapped(policy, in: ["type"]))
    }

    static func pathSource(_ value: JSONText) -> JSONText {
        guard value.kind == .string else { return value }
        return JSONWriter.object { writer in
            writer.member("kind", "path")
            writer.member("path", value)
        }
    }

    /// An empty list is null, which a query leaves out.
    static func commaList(_ value: JSONText) -> JSONText {
        guard value.kind == .array else { return value }
        let texts = value.elements.map { $0.string ?? $0.text }
        return texts.isEmpty ? .null : JSONText(string: texts.joined(separator: ","))
    }

    static func jsonText(_ value: JSONText) -> JSONText {
        guard let text = value.string, let inner = try? JSONText(checking: text), inner.kind == .object else {
            return value
        }
        return inner
    }

    static func withoutNulls(_ value: JSONText) -> JSONText {
        guard value.kind == .object else { return value }
        return JSONWriter.object { writer in
            for member in value.members where !member.value.isNull { writer.member(member.key, member.value) }
        }
    }

}

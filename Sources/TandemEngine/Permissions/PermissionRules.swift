internal import TandemJSON
internal import TandemSystem

/// What a session's rules say of its tools.
enum PermissionRules {
    enum Verdict: Equatable { case allow, ask, deny }

    private static let verdicts: [String: Verdict] = [
        "allow": .allow, "always": .allow, "ask": .ask, "once": .ask, "deny": .deny, "reject": .deny,
    ]

    static func verdict(of action: String) -> Verdict? { verdicts[action] }

    /// Any refusal counts, else the latest rule that means the tool; nil: none does.
    static func verdict(_ rules: JSONText, on tool: String) -> Verdict? {
        let matching = rules.elements.filter { rule in
            [rule["permission"]?.string, rule["pattern"]?.string].allSatisfy { pattern in
                pattern.map { ToolName.pattern($0, matches: tool) } ?? true
            }
        }
        let found = matching.compactMap { $0["action"]?.string }.compactMap { verdicts[$0] }
        return found.contains(.deny) ? .deny : found.last
    }
}

extension PermissionRules {
    /// Adds what a caller brings; what is no rule is left out.
    static func add(_ given: [JSONText], to rules: JSONText, _ context: EngineContext) -> JSONText {
        given.reduce(rules) { rules, value in
            guard let permission = value["permission"]?.string, let action = value["action"]?.string,
                verdict(of: action) != nil
            else { return rules }
            let pattern = value["pattern"]?.string ?? permission
            return add(rule(permission, pattern, action, context, createdBy: "system", request: nil), to: rules)
        }
    }

    static func add(_ rule: JSONText, to rules: JSONText) -> JSONText {
        JSONWriter.array { writer in
            for old in rules.elements { writer.value(old) }
            writer.value(rule)
        }
    }

    static func rule(
        _ permission: String,
        _ pattern: String,
        _ action: String,
        _ context: EngineContext,
        createdBy: String,
        request: String?
    ) -> JSONText {
        JSONWriter.object { writer in
            writer.member("id", context.random.uuid())
            writer.member("permission", permission)
            writer.member("pattern", pattern)
            writer.member("action", action)
            writer.member("createdAtMs", context.clock.milliseconds)
            writer.member("createdBy", createdBy)
            writer.optional("sourceRequestID", request)
            writer.member("provenance", request == nil ? "default_or_system_rule" : "permission_reply")
        }
    }
}

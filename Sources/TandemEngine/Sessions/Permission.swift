internal import TandemJSON

/// The rules that a session brings: kept now, asked when there are tools.
enum Permission {
    private static let actions = ["allow", "always", "ask", "once", "deny", "reject"]

    /// The rules among some values; what is no rule is left out.
    static func rules(_ values: [JSONText]) -> JSONText {
        JSONWriter.array { writer in
            for value in values {
                guard let permission = value["permission"]?.string, let action = value["action"]?.string,
                    actions.contains(action)
                else { continue }
                writer.object { writer in
                    writer.member("permission", permission)
                    writer.member("pattern", value["pattern"]?.string ?? permission)
                    writer.member("action", action)
                }
            }
        }
    }
}

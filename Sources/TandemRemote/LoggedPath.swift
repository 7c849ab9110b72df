internal import TandemContract

/// The form in which a request's target may be logged: identifiers and numbers stand in it, for other arguments their
/// names.
struct LoggedPath: Sendable {
    /// What stands before every path; it may be a secret of a gateway.
    let base: String

    /// The most of one value that is shown.
    private static let longestValue = 80

    /// The target of `url`, which was made of these pieces.
    func text(of url: String, _ pieces: [Operation.PathPiece]) -> String {
        let target = url.dropFirst(base.count)
        var rest = target.prefix { $0 != "?" }
        var text = ""
        for piece in pieces {
            switch piece {
            case .literal(let literal):
                text += literal
                rest = rest.dropFirst(literal.count)
            case .argument(let name, let keepsSlashes):
                let value = keepsSlashes ? rest : rest.prefix { $0 != "/" }
                rest = rest.dropFirst(value.count)
                text += LoggedPath.isIdentifier(name) ? LoggedPath.short(value) : "{\(name)}"
            }
        }
        return text + LoggedPath.query(target.drop { $0 != "?" }.dropFirst())
    }

    private static func query(_ query: Substring) -> String {
        if query.isEmpty { return "" }
        let pairs = query.split(separator: "&").map { pair in
            let name = pair.prefix { $0 != "=" }
            let value = pair.dropFirst(name.count + 1)
            return "\(name)=\(isIdentifier(name) || isPlain(value) ? short(value) : "…")"
        }
        return "?" + pairs.joined(separator: "&")
    }

    /// Names such as session_id and runID; what they name was given by the engine.
    private static func isIdentifier(_ name: some StringProtocol) -> Bool {
        name.hasSuffix("_id") || name.hasSuffix("ID") || name.hasSuffix("Id")
    }

    private static func isPlain(_ value: Substring) -> Bool {
        value == "true" || value == "false" || value.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 }
    }

    private static func short(_ value: Substring) -> String {
        value.utf8.count <= longestValue ? String(value) : value.prefix(longestValue) + "…"
    }
}

internal import TandemJSON

/// What a search asks for that engines do not look at (`memory_filter` of contract/adapts.json): the results are narrowed
/// when they are there.
struct MemoryFilter: Sendable {
    private var tags: [String] = []
    private var session: String?

    /// Takes in an argument; null asks for nothing.
    mutating func add(_ name: String, _ value: JSONText) throws(Failure) {
        if value.isNull { return }
        switch name {
        case "tags":
            let texts = value.kind == .array ? value.elements.map(\.string) : [value.string]
            tags = texts.compactMap { $0 }
            if tags.count != texts.count { throw Failure(.invalidArgument, "tags is no list of texts") }
        default:
            guard let text = value.string else { throw Failure(.invalidArgument, "\(name) is no text") }
            session = text
        }
    }

    func applied(to result: JSONText) -> JSONText {
        guard let results = result["results"], results.kind == .array else { return result }
        let kept = results.elements.filter { isWanted($0) }
        return result.replacing("results", with: JSONWriter.array(of: kept)).setting("count", .integer(kept.count))
    }

    private func isWanted(_ item: JSONText) -> Bool {
        let itsTags = Set((item.at("metadata", "tags")?.elements ?? []).compactMap(\.string))
        if !tags.allSatisfy(itsTags.contains) { return false }
        guard let session else { return true }
        return (item.at("metadata", "session_id")?.string ?? item.at("linkage", "origin_session_id")?.string) == session
    }
}

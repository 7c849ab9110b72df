/// Where an OpenAI-compatible server keeps its functions, from any of the spellings people configure.
package struct ProviderAddress: Equatable, Sendable {
    /// Without a slash at the end.
    package let base: String
    /// With its question mark, or empty (Azure wants an `api-version`).
    package let query: String

    package var chatCompletions: String { base + "/chat/completions" + query }
    package var models: String { base + "/models" + query }

    /// Takes names of functions off the end and adds `/v1` where no segment of the path names a version.
    ///
    /// Versions are `/v4`, `/v1beta/openai` and the like, and Azure's deployments count as one; `/v1/v1` becomes `/v1`.
    /// A text without a scheme means https, on loopback http.
    package init(_ text: String) {
        let (address, query) = ProviderAddress.split(text)
        var base = address
        while let shorter = ProviderAddress.withoutFunction(base) { base = shorter }
        while base.hasSuffix("/v1/v1") { base.removeLast(3) }
        self.base = ProviderAddress.hasVersion(base) ? base : base + "/v1"
        self.query = query
    }

    private static func split(_ text: String) -> (address: String, query: String) {
        func isBlank(_ character: Character) -> Bool { character.isWhitespace }
        var kept = text.drop(while: isBlank)
        while let last = kept.last, isBlank(last) { kept.removeLast() }
        kept = kept.prefix { $0 != "#" }
        let address = kept.prefix { $0 != "?" }
        let query = String(kept.dropFirst(address.count))
        if address.contains(":") && address.drop(while: { $0 != ":" }).hasPrefix("://") {
            return (String(address), query)
        }
        let isLoopback = ["127.", "localhost", "[::1]"].contains { address.hasPrefix($0) }
        return ((isLoopback ? "http://" : "https://") + address, query)
    }

    private static func withoutFunction(_ base: String) -> String? {
        for end in ["/chat/completions", "/completions", "/models", "/"] where base.hasSuffix(end) {
            return String(base.dropLast(end.count))
        }
        return nil
    }

    private static func hasVersion(_ base: String) -> Bool {
        let path = base.split(separator: "/").dropFirst(2)
        if path.contains("deployments") { return true }
        return path.contains { segment in
            let digit = segment.dropFirst().utf8.first ?? 0
            return segment.first == "v" && digit >= UInt8(ascii: "0") && digit <= UInt8(ascii: "9")
        }
    }
}

/// The host and port of a URL: what an error message may show of it.
package struct ServerAddress: Equatable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: String

    /// Reads the authority of a URL and leaves credentials, path and query out.
    package init(url: String) {
        let text = Substring(url)
        let scheme = text.prefix { $0 != ":" }
        var authority = text.dropFirst(scheme.count)
        if authority.hasPrefix("://") { authority = authority.dropFirst(3) } else { authority = text }
        authority = authority.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if let at = authority.lastIndex(of: "@") { authority = authority[authority.index(after: at)...] }
        let bracket = authority.lastIndex(of: "]") ?? authority.startIndex
        let standard = scheme.lowercased() == "https" ? "443" : "80"
        if let colon = authority[bracket...].firstIndex(of: ":") {
            host = String(authority[..<colon])
            let digits = authority[authority.index(after: colon)...]
            port = digits.isEmpty ? standard : String(digits)
        } else {
            host = String(authority)
            port = standard
        }
    }

    package var description: String { "\(host):\(port)" }
}

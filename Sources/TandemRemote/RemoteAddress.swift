package import TandemContract

/// An engine's address: `http://…`, `https://…` or `unix:/path`.
package struct RemoteAddress: Sendable, Equatable {
    /// What stands before every path, without a slash at the end.
    package let base: String
    package let unixSocket: String?

    package init(_ url: String) throws(Failure) {
        if url.hasPrefix("unix:") {
            let path = url.dropFirst("unix:".count)
            guard path.hasPrefix("/") else {
                throw Failure(.invalidArgument, "url: a socket's path is absolute, as in unix:/run/tandem.sock")
            }
            base = "http://localhost"
            unixSocket = String(path)
            return
        }
        unixSocket = nil
        let scheme = url.prefix { $0 != ":" }.lowercased()
        guard scheme == "http" || scheme == "https", url.dropFirst(scheme.count).hasPrefix("://") else {
            throw Failure(.invalidArgument, "url is none of http://…, https://…, unix:/path and embedded:")
        }
        var rest = url.dropFirst(scheme.count + 3)
        if rest.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) || rest.contains("?") || rest.contains("#") {
            throw Failure(.invalidArgument, "url has a space, a query or a fragment, which an engine's address has not")
        }
        let host = rest.prefix { $0 != "/" }
        if host.contains("@") {
            throw Failure(.invalidArgument, "url has a user name or password; give token or headers instead")
        }
        if host.isEmpty { throw Failure(.invalidArgument, "url names no host") }
        while rest.hasSuffix("/") { rest.removeLast() }
        base = "\(scheme)://\(rest)"
    }
}

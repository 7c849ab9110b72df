/// The way to a server: what stands between, and what proves who is who.
package struct HTTPRoute: Sendable, Equatable {
    package enum Proxy: Sendable, Equatable {
        case none
        /// As http_proxy, no_proxy and their kin say at each request.
        case environment
        case url(String)
    }

    package var proxy = Proxy.none
    /// The certificates to trust instead of the system's, in PEM.
    package var caFile: String?
    package var clientCertificate: String?
    package var clientKey: String?
    /// A socket in the file system to connect to instead of the URL's host.
    package var unixSocket: String?

    package init() {}
}

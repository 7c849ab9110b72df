package import TandemContract
package import TandemHTTP

/// Where a remote engine is, and how it is spoken to.
package struct RemoteConfiguration: Sendable {
    package let address: RemoteAddress
    /// Sent only when there is one: an engine without a token refuses requests that bring one.
    package var token: String?
    package var headers: [Request.Field] = []
    package var route = HTTPRoute()
    package var connectTimeoutMilliseconds: Int64 = 5_000
    /// The longest silence on a stream: engines write a comment every 10 s.
    package var idleTimeoutMilliseconds: Int64 = 25_000
    /// The largest event of a stream.
    package var eventLimitBytes = 8 * 1024 * 1024
    /// Each stream has a connection of its own, filtered by the engine, instead of one for all.
    package var subscribesPerStream = false

    /// Requests of started calls that are under way at once; others wait their turn.
    package var transfersLimit = 64
    package var log: RemoteLog?

    package init(_ address: RemoteAddress) {
        self.address = address
        route.unixSocket = address.unixSocket
    }
}

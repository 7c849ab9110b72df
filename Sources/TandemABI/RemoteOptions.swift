internal import TandemContract
internal import TandemHTTP
internal import TandemRemote

/// What a configuration says of remote engines, before it is known where one is.
struct RemoteOptions {
    var token: String?
    var headers: [Request.Field] = []
    var route = HTTPRoute()
    var connectTimeoutMilliseconds: Int64 = 5_000
    var idleTimeoutMilliseconds: Int64 = 25_000
    var eventLimitBytes = 8 * 1024 * 1024
    var subscribesPerStream = false
    var transfersLimit = 64

    func configuration(_ address: RemoteAddress) -> RemoteConfiguration {
        var configuration = RemoteConfiguration(address)
        configuration.token = token
        configuration.headers = headers
        configuration.route = route
        configuration.route.unixSocket = address.unixSocket
        configuration.connectTimeoutMilliseconds = connectTimeoutMilliseconds
        configuration.idleTimeoutMilliseconds = idleTimeoutMilliseconds
        configuration.eventLimitBytes = eventLimitBytes
        configuration.subscribesPerStream = subscribesPerStream
        configuration.transfersLimit = transfersLimit
        return configuration
    }
}

internal import CCurl
internal import Glibc

/// Why a transfer did not come to its end.
///
/// The message names the server and never shows a header, path or token.
package struct TransferError: Error, Equatable, Sendable {
    package enum Code: String, Sendable {
        /// The host's name has no address.
        case resolve
        /// Nobody accepted the connection, or not in time.
        case connect
        case tls
        /// The total time is over.
        case timedOut = "timed_out"
        /// No byte came for too long.
        case idle
        /// The response is larger than its limit.
        case tooLarge = "too_large"
        /// The connection ended before the response did.
        case cut
        case cancelled
        /// What the request asks, or what the server answers, is not HTTP.
        case `protocol`
        case other
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension TransferError {
    /// What one of curl's results means; `detail` is curl's own text, used where it tells more than the code.
    init(_ result: CURLcode, server: ServerAddress, systemError: Int, detail: String) {
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            self.init(.resolve, "the name of \(server) has no address")
        case CURLE_COULDNT_CONNECT:
            self.init(.connect, "cannot connect to \(server)\(TransferError.reason(systemError))")
        case CURLE_OPERATION_TIMEDOUT:
            // Of curl's own time limits only the one for connecting is set.
            self.init(.connect, "cannot connect to \(server): no answer in time")
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_ENGINE_INITFAILED:
            self.init(.tls, "no secure connection to \(server): \(detail)")
        case CURLE_PARTIAL_FILE, CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_HTTP2_STREAM:
            self.init(.cut, "\(server) closed the connection before its answer was complete")
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_URL_MALFORMAT, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2,
            CURLE_BAD_CONTENT_ENCODING:
            self.init(.protocol, "\(server): \(detail)")
        default:
            self.init(.other, "\(server): \(detail)")
        }
    }

    private static func reason(_ systemError: Int) -> String {
        switch Int32(clamping: systemError) {
        case ECONNREFUSED: ": connection refused"
        case EHOSTUNREACH, ENETUNREACH: ": no way to that network"
        case ETIMEDOUT: ": no answer in time"
        case ECONNRESET: ": connection reset"
        case EMFILE, ENFILE: ": no descriptor is left"
        default: ""
        }
    }
}

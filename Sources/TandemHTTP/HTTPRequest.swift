/// One HTTP request, with the limits of its transfer.
package struct HTTPRequest: Sendable {
    package var method: String
    package var url: String
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]?
    /// For the name, the connection and TLS together.
    package var connectTimeoutMilliseconds: Int64 = 5_000
    /// The longest time without a byte in either direction; nil for none.
    package var idleTimeoutMilliseconds: Int64?
    /// For the whole transfer; nil for none.
    package var totalTimeoutMilliseconds: Int64?
    /// The largest body that is accepted.
    package var responseLimit = 64 * 1024 * 1024
    package var route = HTTPRoute()
    /// A connection that dies under the request ends it, where curl would send it again on another one.
    package var isSentOnce = false

    package init(_ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// What forbids to send it: anything that would let a value break out of its line.
    package var flaw: String? {
        func isToken(_ text: String) -> Bool { !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }
        if !isToken(method) { return "the method is not a word" }
        if url.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) { return "the URL contains a space" }
        for (name, value) in headers {
            if !isToken(name) || name.utf8.contains(UInt8(ascii: ":")) { return "a header's name is not a word" }
            if value.utf8.contains(where: { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7F }) {
                return "the header \(name) contains a control character"
            }
        }
        return nil
    }
}

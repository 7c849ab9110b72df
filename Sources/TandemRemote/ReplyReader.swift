internal import TandemContract
internal import TandemHTTP
internal import TandemJSON

/// Makes replies of HTTP answers: pure.
enum ReplyReader {
    static func reply(_ response: HTTPResponse, of operation: Operation, now: Int64) -> Result<Reply, Failure> {
        let head = response.head
        if (300..<400).contains(head.status) {
            // A redirect would carry the token to whoever is named.
            return .failure(
                Failure(
                    .protocol,
                    "\(operation.name): the server redirects elsewhere, which is not followed",
                    status: head.status
                )
            )
        }
        return body(response, operation).map { body in
            Reply(
                status: head.status,
                headers: head.headers.map { Request.Field($0.name, $0.value) },
                body: body,
                retryAfterMilliseconds: head["retry-after"].flatMap { RetryAfter.milliseconds($0, now: now) }
            )
        }
    }

    private static func body(_ response: HTTPResponse, _ operation: Operation) -> Result<Reply.Body, Failure> {
        let bytes = response.body
        let isRefusal = response.head.status >= 400
        if !isRefusal, operation.response == .binary { return .success(.bytes(bytes)) }
        if bytes.isEmpty { return .success(operation.response == .text && !isRefusal ? .text("") : .none) }
        if !isRefusal, operation.response == .text || operation.response == .jsonLines {
            return .success(.text(String(decoding: bytes, as: UTF8.self)))
        }
        do throws(JSONError) {
            return .success(.json(try JSONText(checking: bytes)))
        } catch {
            // Frameworks refuse in plain words.
            if isRefusal { return .success(.text(String(decoding: bytes, as: UTF8.self))) }
            if error.isLimit { return .failure(Failure(error, in: "the answer of \(operation.name)")) }
            return .failure(
                Failure(
                    .protocol,
                    "the answer of \(operation.name) is not JSON: \(error.message), at byte \(error.offset)",
                    status: response.head.status
                )
            )
        }
    }
}

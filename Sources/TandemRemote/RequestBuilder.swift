internal import TandemContract
internal import TandemHTTP
internal import TandemJSON

/// Makes HTTP requests of requests: pure.
struct RequestBuilder: Sendable {
    let configuration: RemoteConfiguration

    private static let requestSource = "X-Tandem-Request-Source"
    private static let agent = "x-tandem-agent-id"

    func make(_ operation: Operation, _ request: Request, _ options: CallOptions) throws(Failure) -> HTTPRequest {
        let isStream = operation.isOnlyStream
        var http = HTTPRequest(
            operation.method,
            configuration.address.base + path(operation, request) + RequestBuilder.query(request),
            headers: headers(operation, request, options),
            body: body(operation, request, options).map { Array($0.bytes) }
        )
        http.route = configuration.route
        http.connectTimeoutMilliseconds = configuration.connectTimeoutMilliseconds
        // Only event streams have signs of life: lines come when there is something to say.
        let isAlive = isStream && operation.response == .serverSentEvents
        http.idleTimeoutMilliseconds = isAlive ? configuration.idleTimeoutMilliseconds : nil
        http.responseLimit = isStream ? .max : Int(clamping: options.replyLimitBytes)
        http.isSentOnce = operation.retry == .never
        if let flaw = http.flaw { throw Failure(.invalidArgument, "\(operation.name): \(flaw)") }
        return http
    }

    /// An engine passes an answer on as one text; answers apart are for one that waits for them.
    private func body(_ operation: Operation, _ request: Request, _ options: CallOptions) -> JSONText? {
        guard operation.name == "questions.answer", !options.isStrict, let body = request.body,
            let answers = body["answer"], answers.kind == .array
        else { return request.body }
        return JSONWriter.object { writer in
            for (key, value) in body.members {
                writer.member(key, key == "answer" ? JSONText(string: answers.answerText) : value)
            }
        }
    }

    private func path(_ operation: Operation, _ request: Request) -> String {
        operation.path.map { piece in
            switch piece {
            case .literal(let text): text
            case .argument(let name, let keepsSlashes):
                PercentEncoding.segment(request.path(name), keepsSlashes: keepsSlashes)
            }
        }.joined()
    }

    private static func query(_ request: Request) -> String {
        if request.query.isEmpty { return "" }
        let pairs = request.query.map { field in
            PercentEncoding.encoded(field.name) + "=" + PercentEncoding.encoded(field.value)
        }
        return "?" + pairs.joined(separator: "&")
    }

    private func headers(
        _ operation: Operation,
        _ request: Request,
        _ options: CallOptions
    ) -> [(name: String, value: String)] {
        var headers = HeaderList()
        for field in configuration.headers + options.headers + request.headers { headers.set(field.name, field.value) }
        if let token = configuration.token, !headers.has("authorization") {
            headers.set("Authorization", "Bearer \(token)")
        }
        if operation.response == .serverSentEvents { headers.set("Accept", "text/event-stream") }
        if request.body != nil {
            headers.set("Content-Type", "application/json")
        } else if ["POST", "PUT", "PATCH"].contains(operation.method) {
            headers.set("Content-Length", "0")
        }
        if operation.method != "GET", let source = options.actsAs, !headers.has(RequestBuilder.agent),
            !headers.has(RequestBuilder.requestSource)
        {
            headers.set(RequestBuilder.requestSource, source)
        }
        return headers.fields
    }
}

/// Headers by name, whatever its case; the last one set counts.
private struct HeaderList {
    private(set) var fields: [(name: String, value: String)] = []

    mutating func set(_ name: String, _ value: String) {
        fields.removeAll { HeaderList.isSame($0.name, name) }
        fields.append((name, value))
    }

    func has(_ name: String) -> Bool { fields.contains { HeaderList.isSame($0.name, name) } }

    /// Names of headers are ASCII (`HTTPRequest.flaw`), where letters differ in one bit from their other case.
    private static func isSame(_ one: String, _ other: String) -> Bool {
        one.utf8.count == other.utf8.count
            && zip(one.utf8, other.utf8).allSatisfy { $0 == $1 || ($0 ^ $1 == 0x20 && ($0 | 0x20) &- 0x61 < 26) }
    }
}

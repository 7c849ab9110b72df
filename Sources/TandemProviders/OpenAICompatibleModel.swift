package import TandemHTTP
internal import TandemJSON
internal import TandemSystem

/// Any server that speaks OpenAI's `/chat/completions`.
package final class OpenAICompatibleModel: Model {
    package struct Options: Sendable {
        package var baseURL: String
        package var apiKey: String?
        package var connectTimeoutMilliseconds: Int64 = 5_000
        /// The longest silence; a model may think for a while before its first word.
        package var idleTimeoutMilliseconds: Int64 = 90_000

        package init(baseURL: String, apiKey: String? = nil) {
            self.baseURL = baseURL
            self.apiKey = apiKey
        }
    }

    private let transfers: TransferLoop
    private let options: Options
    private let url: String
    /// As messages name it.
    private let server: String

    package init(_ transfers: TransferLoop, _ options: Options) {
        self.transfers = transfers
        self.options = options
        url = ProviderAddress(options.baseURL).chatCompletions
        server = ServerAddress(url: url).description
    }

    package func start(_ request: ModelRequest, deliver: @escaping @Sendable ([ModelEvent]) -> Void) -> any ModelCall {
        let receiver = ChatReceiver(server: server, secret: key, ToolAliases(request.tools), deliver)
        return TransferCall(transfers: transfers, id: transfers.start(httpRequest(request), receiver))
    }

    /// Nil also for the texts that people write where a key is asked for and none is needed.
    private var key: String? {
        guard let key = options.apiKey, !["", "x", "placeholder"].contains(key) else { return nil }
        return key
    }

    private func httpRequest(_ request: ModelRequest) -> HTTPRequest {
        var headers = [(name: "Content-Type", value: "application/json"), (name: "Accept", value: "text/event-stream")]
        if let key { headers.append((name: "Authorization", value: "Bearer \(key)")) }
        var http = HTTPRequest("POST", url, headers: headers, body: Array(ChatRequest.json(request).bytes))
        http.connectTimeoutMilliseconds = options.connectTimeoutMilliseconds
        http.idleTimeoutMilliseconds = options.idleTimeoutMilliseconds
        return http
    }
}

private struct TransferCall: ModelCall {
    let transfers: TransferLoop
    let id: TransferID

    func cancel() { transfers.cancel(id) }
}

/// Passes a response through its reader; its state is touched on the io thread only.
private final class ChatReceiver: TransferReceiver, @unchecked Sendable {
    private var reader: ChatResponseReader
    private let secret: String?
    private let names: ToolAliases
    private let deliver: @Sendable ([ModelEvent]) -> Void

    init(
        server: String,
        secret: String?,
        _ names: ToolAliases,
        _ deliver: @escaping @Sendable ([ModelEvent]) -> Void
    ) {
        reader = ChatResponseReader(server: server)
        self.secret = secret
        self.names = names
        self.deliver = deliver
    }

    func head(_ head: ResponseHead) -> Bool {
        reader.head(head)
        return true
    }

    func bytes(_ bytes: [UInt8]) -> Bool {
        let events = reader.bytes(bytes)
        pass(events)
        // After a failure nobody reads on; after a success the rest is read, so that the connection can be used again.
        if case .failed = events.last { return false }
        return true
    }

    func end(_ failure: TransferError?) { pass(reader.end(failure)) }

    private func pass(_ events: [ModelEvent]) {
        guard !events.isEmpty else { return }
        deliver(events.map { $0.hiding(secret).naming(names) })
    }
}

extension ModelEvent {
    /// A server may quote the key in its complaint.
    fileprivate func hiding(_ secret: String?) -> ModelEvent {
        guard case .failed(let failure) = self, let secret, failure.message.contains(text: secret) else {
            return self
        }
        return .failed(
            ModelFailure(
                failure.category,
                failure.message.replacing(phrase: secret, with: "[key]"),
                status: failure.status,
                retryAfterMilliseconds: failure.retryAfterMilliseconds
            )
        )
    }
}

extension String {
    fileprivate func replacing(phrase: String, with other: String) -> String {
        var result: [UInt8] = []
        var rest = utf8[...]
        while let first = rest.first {
            if rest.starts(with: phrase.utf8) {
                result += Array(other.utf8)
                rest = rest.dropFirst(phrase.utf8.count)
            } else {
                result.append(first)
                rest = rest.dropFirst()
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}

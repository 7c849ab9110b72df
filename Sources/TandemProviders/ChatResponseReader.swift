internal import TandemHTTP
internal import TandemJSON

/// Model events out of one HTTP response of an OpenAI-compatible server: a stream, one JSON object, or an error.
struct ChatResponseReader {
    private enum Form {
        /// Nothing has come yet that tells.
        case unknown
        case stream
        case object
        /// A status that is no success: the body says why.
        case refusal(ResponseHead)
        /// Neither JSON nor an event stream.
        case foreign(String)
    }

    /// As much of an error's body is read.
    private static let refusalLimit = 64 * 1024

    private let server: String
    private var form = Form.unknown
    private var stream: ChatStreamDecoder
    private var body: [UInt8] = []
    private(set) var isOver = false

    /// `server` is the address that messages name.
    init(server: String) {
        self.server = server
        stream = ChatStreamDecoder(server: server)
    }

    mutating func head(_ head: ResponseHead) {
        let type = head.mediaType
        if !(200..<300).contains(head.status) {
            form = .refusal(head)
        } else if type == "text/event-stream" {
            form = .stream
        } else if type == "application/json" || type.hasSuffix("+json") || type.isEmpty {
            // Some servers call a stream JSON, or call it nothing: the first byte tells.
            form = .unknown
        } else {
            form = .foreign(type)
        }
    }

    /// What these bytes complete.
    mutating func bytes(_ bytes: [UInt8]) -> [ModelEvent] {
        guard !isOver else { return [] }
        if case .unknown = form {
            guard let first = bytes[...].trimmingBlanks.first else { return [] }
            form = first == UInt8(ascii: "{") || first == UInt8(ascii: "[") ? .object : .stream
        }
        switch form {
        case .unknown: return []
        case .stream: return passed(stream.read(bytes))
        case .object: body += bytes
        case .refusal: body += bytes.prefix(max(ChatResponseReader.refusalLimit - body.count, 0))
        case .foreign(let type): return passed([.failed(foreign(type))])
        }
        return []
    }

    /// The end of the response; the last of all events comes now at the latest.
    mutating func end(_ failure: TransferError?) -> [ModelEvent] {
        guard !isOver else { return [] }
        let failure = failure.map(ChatResponseReader.failure)
        switch form {
        case .refusal(let head) where failure?.category != .cancelled:
            return passed([.failed(refusal(head))])
        case .stream: return passed(stream.end(failure))
        case .object where failure == nil: return passed(wholeReply())
        case .foreign(let type) where failure == nil: return passed([.failed(foreign(type))])
        default:
            let empty = ModelFailure(.provider, "\(server) answered with nothing")
            return passed([.failed(failure ?? empty)])
        }
    }

    private mutating func passed(_ events: [ModelEvent]) -> [ModelEvent] {
        if events.last?.isLast == true { isOver = true }
        return events
    }

    private func foreign(_ type: String) -> ModelFailure {
        let shown = ChatReply.shortened(type)
        return ModelFailure(.provider, "\(server) answered with \(shown), which is neither JSON nor an event stream")
    }

    private func wholeReply() -> [ModelEvent] {
        guard let reply = try? JSONText(checking: body) else {
            return [.failed(ModelFailure(.provider, "\(server) answered with JSON that is not valid"))]
        }
        if let error = ChatReply.error(in: reply) {
            let message = "\(server) reported: \(error.message)"
            return [.failed(ModelFailure(error.category, message, status: error.status))]
        }
        guard let choice = reply["choices"]?.elements.first else {
            return [.failed(ModelFailure(.provider, "\(server) answered with JSON that holds no answer of a model"))]
        }
        let text = ChatReply.text(of: choice).map { ModelEvent.text($0) }
        var assembler = ToolCallAssembler()
        let deltas = assembler.take(ChatReply.toolCalls(of: choice))
        let calls = assembler.calls.isEmpty ? nil : ModelEvent.toolCalls(assembler.calls)
        let usage = ChatReply.usage(in: reply).map { ModelEvent.usage($0) }
        return [text].compactMap { $0 } + deltas + [calls, usage].compactMap { $0 } + [
            .finished(reason: choice["finish_reason"]?.string)
        ]
    }
}

extension ChatResponseReader {
    private func refusal(_ head: ResponseHead) -> ModelFailure {
        let reply = try? JSONText(checking: body)
        let error = reply.flatMap(ChatReply.error)
        let plain = head.mediaType == "text/html" ? "" : ChatReply.shortened(String(decoding: body, as: UTF8.self))
        let words = error?.message ?? reply?["message"]?.string.map(ChatReply.shortened) ?? plain
        var category = ChatReply.category(status: head.status, words: words)
        // The error's own code may say what its text does not.
        if category == .provider, head.status < 500, let named = error?.category { category = named }
        var message = "\(server) answered with status \(head.status)"
        if (300..<400).contains(head.status) { message += "; redirects are not followed" }
        if !words.isEmpty { message += ": \(words)" }
        return ModelFailure(
            category,
            message,
            status: head.status,
            retryAfterMilliseconds: ChatResponseReader.retryAfter(head)
        )
    }

    /// In milliseconds (`retry-after-ms`) or seconds; the form with a date is not met among model servers.
    private static func retryAfter(_ head: ResponseHead) -> Int64? {
        let milliseconds = head["retry-after-ms"].flatMap { Double($0) }
        let seconds = head["retry-after"].flatMap { Double($0) }
        guard let wanted = milliseconds ?? seconds.map({ $0 * 1_000 }), wanted >= 0 else { return nil }
        return Int64(exactly: min(wanted, 86_400_000).rounded())
    }

    private static func failure(_ error: TransferError) -> ModelFailure {
        switch error.code {
        case .timedOut, .idle: ModelFailure(.timeout, error.message)
        case .cancelled: ModelFailure(.cancelled, error.message)
        case .resolve, .connect, .tls, .tooLarge, .cut, .protocol, .other: ModelFailure(.provider, error.message)
        }
    }
}

package import TandemSystem

/// `local/echo-1`: repeats the last user message, so that everything works without a server or key.
package struct EchoModel: Model {
    package static let provider = "local"
    package static let model = "echo-1"

    private let loop: EventLoop

    package init(_ loop: EventLoop) { self.loop = loop }

    package func start(_ request: ModelRequest, deliver: @escaping @Sendable ([ModelEvent]) -> Void) -> any ModelCall {
        let call = EchoCall(loop, EchoModel.answer(to: request), deliver)
        call.proceed()
        return call
    }

    /// The whole answer; its text comes in pieces of one word.
    static func answer(to request: ModelRequest) -> [ModelEvent] {
        let question = request.messages.last { $0.role == .user }?.content ?? ""
        let text = "Echo: " + question
        let prompt = request.messages.reduce(0) { $0 + tokens(in: $1.content) }
        let completion = tokens(in: text)
        let usage = ModelUsage(prompt: prompt, completion: completion, total: prompt + completion)
        return pieces(of: text).map { .text($0) } + [.usage(usage), .finished(reason: "stop")]
    }

    /// Words with the white space that follows them.
    private static func pieces(of text: String) -> [String] {
        var pieces: [String] = []
        var piece = ""
        var endsBlank = false
        for character in text {
            let isBlank = character.isWhitespace
            if endsBlank && !isBlank {
                pieces.append(piece)
                piece = ""
            }
            endsBlank = isBlank
            piece.append(character)
        }
        return piece.isEmpty ? pieces : pieces + [piece]
    }

    /// An estimate: about four characters make a token.
    private static func tokens(in text: String) -> Int64 { Int64((text.unicodeScalars.count + 3) / 4) }
}

/// An echo under way: a few words a turn of the loop, so that a long one holds nobody up and can be cancelled.
private final class EchoCall: ModelCall {
    private struct State {
        var rest: ArraySlice<ModelEvent>
        var isCancelled = false
    }

    private let loop: EventLoop
    private let state: Lock<State>
    private let deliver: @Sendable ([ModelEvent]) -> Void
    private static let eventsPerTurn = 16

    init(_ loop: EventLoop, _ events: [ModelEvent], _ deliver: @escaping @Sendable ([ModelEvent]) -> Void) {
        self.loop = loop
        self.deliver = deliver
        state = Lock(State(rest: events[...]))
    }

    func cancel() { state.withLock { $0.isCancelled = true } }

    func proceed() {
        if !loop.post({ [self] in turn() }) {
            deliver([.failed(ModelFailure(.cancelled, "the library is being closed"))])
        }
    }

    private func turn() {
        let events = state.withLock { state -> [ModelEvent] in
            if state.isCancelled { return [.failed(ModelFailure(.cancelled, "the answer was cancelled"))] }
            defer { state.rest = state.rest.dropFirst(EchoCall.eventsPerTurn) }
            return Array(state.rest.prefix(EchoCall.eventsPerTurn))
        }
        deliver(events)
        if events.last?.isLast == false { proceed() }
    }
}

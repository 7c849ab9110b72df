internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// The way from what a host replies to who asked: in order, always on the io thread, so that no reply runs into an
/// engine, and nothing any more once it is closed.
final class ReplyLine: Sendable {
    private struct State {
        var chunks: [JSONText] = []
        var waitingBytes = 0
        var end: Result<JSONText, Failure>?
        var isPosted = false
        var isHandingOver = false
        var isOpen = true
    }

    private let state = Monitor(State())
    private let receiver: any HostReceiver
    private let loop: EventLoop
    private let limitBytes: Int

    /// What of a model's answer may wait to be taken (tandem.h, tandem_reply_chunk).
    static let limitBytes = 8 * 1024 * 1024

    init(_ receiver: any HostReceiver, _ loop: EventLoop, limitBytes: Int = ReplyLine.limitBytes) {
        self.receiver = receiver
        self.loop = loop
        self.limitBytes = limitBytes
    }

    /// Sends a piece; false where too much waits.
    func send(_ chunk: JSONText) -> Bool {
        let (isTaken, mustPost) = state.withLock { state in
            guard state.waitingBytes + chunk.bytes.count <= limitBytes else { return (false, false) }
            state.chunks.append(chunk)
            state.waitingBytes += chunk.bytes.count
            return (true, ReplyLine.claimPost(&state))
        }
        if mustPost { post() }
        return isTaken
    }

    /// Sends the end; `closed` runs once the receiver has it.
    func end(_ reply: Result<JSONText, Failure>, closed: @escaping @Sendable () -> Void) {
        let mustPost = state.withLock { state in
            if state.end == nil { state.end = reply }
            return ReplyLine.claimPost(&state)
        }
        if mustPost { post() }
        // Behind the job that hands the end over.
        if !loop.post(closed) { closed() }
    }

    /// When this has returned the receiver hears nothing any more.
    func close() {
        state.change { $0.isOpen = false }
        // The receiver itself may be who closes.
        if loop.isCurrent { return }
        _ = state.wait(until: .never) { $0.isHandingOver ? nil : true }
    }

    private static func claimPost(_ state: inout State) -> Bool {
        defer { state.isPosted = true }
        return state.isOpen && !state.isPosted
    }

    private func post() { loop.post { [self] in handOver() } }

    private func handOver() {
        let (chunks, end): ([JSONText], Result<JSONText, Failure>?) = state.withLock { state in
            defer {
                state.chunks = []
                state.waitingBytes = 0
                state.isPosted = false
                state.isHandingOver = state.isOpen
            }
            return state.isOpen ? (state.chunks, state.end) : ([], nil)
        }
        for chunk in chunks where isOpen { receiver.take(chunk: chunk) }
        if let end, isOpen {
            state.withLock { $0.isOpen = false }
            receiver.end(end)
        }
        state.change { $0.isHandingOver = false }
    }

    private var isOpen: Bool { state.withLock { $0.isOpen } }
}

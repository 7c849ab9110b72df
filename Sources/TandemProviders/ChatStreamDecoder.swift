internal import TandemHTTP
internal import TandemJSON

/// Model events out of the event stream of `/chat/completions`: bytes in, values out.
struct ChatStreamDecoder {
    private let server: String
    private var parser = EventStreamParser(limit: 16 * 1024 * 1024)
    private var reason: String?
    private var usage: ModelUsage?
    private var calls = ToolCallAssembler()
    /// The last event has been given; what follows is ignored.
    private(set) var isOver = false

    init(server: String) { self.server = server }

    /// What these bytes complete.
    mutating func read(_ bytes: [UInt8]) -> [ModelEvent] {
        guard !isOver else { return [] }
        var frames: [EventStreamParser.Event] = []
        var tooLarge = false
        do { try parser.read(bytes, into: &frames) } catch { tooLarge = true }
        var events: [ModelEvent] = []
        for frame in frames where !isOver { take(frame.data, into: &events) }
        if tooLarge && !isOver { events.append(fail("\(server) sent an event that is too large")) }
        return events
    }

    /// The end of the answer, with the reason where it is a failure.
    ///
    /// A stream that has named its finish reason is complete, however it ends; one without reason or `[DONE]` was cut.
    mutating func end(_ failure: ModelFailure?) -> [ModelEvent] {
        guard !isOver else { return [] }
        if reason != nil, failure?.category != .cancelled { return finish() }
        isOver = true
        if let failure { return [.failed(failure)] }
        let half = parser.isInsideEvent ? " in the middle of an event" : ""
        return [.failed(ModelFailure(.provider, "\(server) ended its answer\(half) before it was complete"))]
    }

    private mutating func take(_ data: [UInt8], into events: inout [ModelEvent]) {
        let text = data[...].trimmingBlanks
        if text.isEmpty { return }
        if text.elementsEqual("[DONE]".utf8) { return events += finish() }
        guard let chunk = try? JSONText(checking: data), chunk.kind == .object else {
            return events.append(fail("\(server) sent an event that is not valid JSON"))
        }
        if let error = ChatReply.error(in: chunk) { return events.append(fail(error)) }
        for choice in chunk["choices"]?.elements ?? [] {
            if let error = ChatReply.error(in: choice) { return events.append(fail(error)) }
            if let text = ChatReply.text(of: choice) { events.append(.text(text)) }
            events += calls.take(ChatReply.toolCalls(of: choice))
            if let reason = choice["finish_reason"]?.string { self.reason = reason }
        }
        // Some servers count in every chunk; the last count is the whole one.
        if let usage = ChatReply.usage(in: chunk) { self.usage = usage }
    }

    private mutating func finish() -> [ModelEvent] {
        isOver = true
        let calls = calls.calls
        return (calls.isEmpty ? [] : [.toolCalls(calls)]) + (usage.map { [.usage($0)] } ?? [])
            + [.finished(reason: reason)]
    }

    private mutating func fail(_ error: ChatReply.ServerError) -> ModelEvent {
        isOver = true
        return .failed(ModelFailure(error.category, "\(server) reported: \(error.message)", status: error.status))
    }

    private mutating func fail(_ message: String) -> ModelEvent {
        isOver = true
        return .failed(ModelFailure(.provider, message))
    }
}

extension ArraySlice<UInt8> {
    /// Without the white space of JSON at both ends.
    var trimmingBlanks: ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        var text = drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

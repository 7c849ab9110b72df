internal import TandemContract
internal import TandemHTTP

/// A stream's bytes made into events: a value.
struct StreamReader {
    private enum Format {
        case events(EventStreamParser)
        case lines(unfinished: [UInt8])
    }

    /// Frames that were no events.
    private(set) var skipped = 0
    private var format: Format
    private let limit: Int

    init(_ response: Operation.Response, limit: Int) {
        self.limit = limit
        format = response == .jsonLines ? .lines(unfinished: []) : .events(EventStreamParser(limit: limit))
    }

    /// The time to wait before reconnecting that the stream asked for last.
    var retryMilliseconds: Int64? { if case .events(let parser) = format { parser.retryMilliseconds } else { nil } }

    mutating func read(_ bytes: [UInt8], into frames: inout [StreamFrame]) throws(Failure) {
        switch format {
        case .events(var parser):
            format = .lines(unfinished: [])
            defer { format = .events(parser) }
            var parsed: [EventStreamParser.Event] = []
            defer {
                for frame in parsed where !EventFrame.isSignOfLife(frame) {
                    take(EventFrame.event(frame), frame.data, into: &frames)
                }
            }
            do throws(EventStreamParser.TooLarge) { try parser.read(bytes, into: &parsed) } catch { throw tooLarge }
        case .lines(var rest):
            format = .lines(unfinished: [])
            var start = bytes.startIndex
            while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
                rest += bytes[start..<end]
                line(rest, into: &frames)
                rest = []
                start = end + 1
            }
            rest += bytes[start...]
            guard rest.count <= limit else { throw tooLarge }
            format = .lines(unfinished: rest)
        }
    }

    /// The stream has ended: a last line need not have an end.
    mutating func finish(into frames: inout [StreamFrame]) {
        guard case .lines(let rest) = format else { return }
        line(rest, into: &frames)
        format = .lines(unfinished: [])
    }

    private mutating func line(_ line: [UInt8], into frames: inout [StreamFrame]) {
        if line.contains(where: { $0 > 0x20 }) { take(EventFrame.event(line), line, into: &frames) }
    }

    private mutating func take(_ event: EngineEvent?, _ bytes: [UInt8], into frames: inout [StreamFrame]) {
        if let event { return frames.append(.event(event)) }
        skipped += 1
        frames.append(.cut(CutFrame(bytes)))
    }

    private var tooLarge: Failure { Failure(.limit, "an event of the stream is larger than \(limit) bytes") }
}

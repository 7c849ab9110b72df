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

    mutating func read(_ bytes: [UInt8], into events: inout [EngineEvent]) throws(Failure) {
        switch format {
        case .events(var parser):
            format = .lines(unfinished: [])
            defer { format = .events(parser) }
            var frames: [EventStreamParser.Event] = []
            do throws(EventStreamParser.TooLarge) { try parser.read(bytes, into: &frames) } catch { throw tooLarge }
            for frame in frames where !EventFrame.isSignOfLife(frame) { take(EventFrame.event(frame), into: &events) }
        case .lines(var rest):
            format = .lines(unfinished: [])
            rest += bytes
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                line(Array(rest[..<end]), into: &events)
                rest = Array(rest[(end + 1)...])
            }
            guard rest.count <= limit else { throw tooLarge }
            format = .lines(unfinished: rest)
        }
    }

    /// The stream has ended: a last line need not have an end.
    mutating func finish(into events: inout [EngineEvent]) {
        guard case .lines(let rest) = format else { return }
        line(rest, into: &events)
        format = .lines(unfinished: [])
    }

    private mutating func line(_ line: [UInt8], into events: inout [EngineEvent]) {
        if line.contains(where: { $0 > 0x20 }) { take(EventFrame.event(line), into: &events) }
    }

    private mutating func take(_ event: EngineEvent?, into events: inout [EngineEvent]) {
        if let event { events.append(event) } else { skipped += 1 }
    }

    private var tooLarge: Failure { Failure(.limit, "an event of the stream is larger than \(limit) bytes") }
}

import Glibc
import TandemContract
import TandemJSON
import Testing

@testable import TandemClient
@testable import TandemRemote

/// What the recorded streams of the real engine become: the files in Tests/Fixtures/expected were read by eye.
@Suite struct RecordedStreamsTests {
    private static let fixtures =
        String("\(#filePath)".dropLast("TandemRemoteTests/RecordedStreamsTests.swift".count)) + "Fixtures/"
    private static let names = files(in: fixtures + "streams").filter { $0.hasSuffix(".sse") }.sorted()

    @Test func thereAreRecordings() { #expect(Self.names.count > 40) }

    @Test(arguments: names) func recordedEventsBecomeTheExpectedOnes(name: String) throws {
        let lines = try Self.lines(Self.bytes(of: Self.fixtures + "streams/" + name))
        let file = Self.fixtures + "expected/" + name.dropLast(4) + ".txt"
        if getenv("TANDEM_TEST_REGENERATE") != nil { try Self.write(lines.joined(), to: file) }
        let expected = String(decoding: try Self.bytes(of: file), as: UTF8.self)
        #expect(lines == expected.split(separator: "\n").map { $0 + "\n" })
    }

    /// Also where the bytes come one by one.
    @Test(arguments: ["bytes-core-cancel.sse", "bytes-core-run-unicode.sse", "bytes-more-goal-live.sse"])
    func itDoesNotMatterHowTheBytesAreSplit(name: String) throws {
        let bytes = try Self.bytes(of: Self.fixtures + "streams/" + name)
        #expect(try Self.lines(bytes, pieces: 1) == Self.lines(bytes))
    }

    /// One line an event; identifiers are numbered, long texts shortened.
    private static func lines(_ bytes: [UInt8], pieces: Int = .max) throws -> [String] {
        var reader = StreamReader(.serverSentEvents, limit: 1 << 24)
        var frames: [StreamFrame] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            try reader.read(Array(rest.prefix(pieces)), into: &frames)
            rest = rest.dropFirst(pieces)
        }
        var normalizer = EventNormalizer(sessionID: nil, runID: nil, now: 0)
        var book = RunBook()
        var runs: [String] = []
        return frames.flatMap { frame -> [String] in
            guard case .event(let event) = frame else { return ["(a cut frame, which is read from the log)\n"] }
            let run = book.note(event, now: 0)
            if run == nil, event.runID != nil, event.endsRun { return ["(a second end, which is dropped)\n"] }
            return normalizer.normalize(event.belonging(to: run)).map { line($0, run ?? $0.context.runID, &runs) }
        }
    }

    private static func line(_ event: NormalizedEvent, _ run: String?, _ runs: inout [String]) -> String {
        if let run, !runs.contains(run) { runs.append(run) }
        let number = run.flatMap { runs.firstIndex(of: $0) }.map { "run \($0 + 1)" } ?? "no run"
        let properties = event.properties.text
        let isShown = !event.type.hasPrefix("engine.")
        let shown = properties.count <= 300 ? properties : "\(properties.prefix(200))... \(properties.count) characters"
        return "\(event.type) (\(number))\(isShown ? " " + shown : "")\n"
    }

    private static func files(in folder: String) -> [String] {
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            )
        }
        return names
    }

    private static func bytes(of path: String) throws -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        try #require(fd >= 0, "\(path) cannot be read")
        defer { close(fd) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(fd, &piece, piece.count), count > 0 { bytes += piece.prefix(count) }
        return bytes
    }

    private static func write(_ text: String, to path: String) throws {
        let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        try #require(fd >= 0, "\(path) cannot be written")
        defer { close(fd) }
        let bytes = Array(text.utf8)
        #expect(Glibc.write(fd, bytes, bytes.count) == bytes.count)
    }
}

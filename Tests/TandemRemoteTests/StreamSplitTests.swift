import Glibc
import TandemContract
import TandemHTTP
import TandemJSON
import Testing

/// The engine's streams, recorded, however the network may cut them.
@Suite struct StreamSplitTests {
    /// Streams longer than this are cut in two at a part of the places only, or the test would take longer than all others;
    /// byte by byte they are cut everywhere.
    private static let longest = 1_000

    @Test func aStreamCutAnywhereHasTheSameEvents() throws {
        let streams = try recorded()
        #expect(streams.count == 97)
        for (name, bytes) in streams {
            let whole = frames([bytes[...]])
            for position in positions(bytes.count) {
                let cut = frames([bytes[..<position], bytes[position...]])
                guard cut == whole else {
                    Issue.record("\(name) cut at \(position)")
                    break
                }
            }
            #expect(frames(bytes.indices.map { bytes[$0...$0] }) == whole, "\(name) byte by byte")
        }
    }

    private func frames(_ pieces: [ArraySlice<UInt8>]) -> [EventStreamParser.Event] {
        var parser = EventStreamParser()
        var frames: [EventStreamParser.Event] = []
        for piece in pieces { #expect(throws: Never.self) { try parser.read(Array(piece), into: &frames) } }
        return frames
    }

    private func positions(_ count: Int) -> [Int] {
        if count <= StreamSplitTests.longest { return Array(0...count) }
        return Array(0...20) + Array(stride(from: 21, to: count - 20, by: max(count * count / 8_000_000, 1)))
            + Array((count - 20)...count)
    }

    private func recorded() throws -> [(String, [UInt8])] {
        let here = String(#filePath.dropLast("TandemRemoteTests/StreamSplitTests.swift".count))
        let fd = open(here + "Fixtures/conformance/sse_vectors-visible.json", O_RDONLY | O_CLOEXEC)
        defer { close(fd) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(fd, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
        let vectors = try #require(try JSONText(checking: bytes)["vectors"])
        return vectors.elements.map { vector in
            let chunks = vector["chunks_base64"]?.elements.compactMap(\.string) ?? []
            return (vector["name"]?.string ?? "", chunks.flatMap(decoded))
        }
    }

    private func decoded(_ base64: String) -> [UInt8] {
        var bytes: [UInt8] = []
        var bits = 0
        var count = 0
        for character in base64.utf8 where character != UInt8(ascii: "=") {
            bits = (bits << 6 | StreamSplitTests.digit(character)) & 0xFFF
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(bits >> count & 0xFF))
            }
        }
        return bytes
    }

    private static func digit(_ character: UInt8) -> Int {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): Int(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): Int(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        default: 63
        }
    }
}

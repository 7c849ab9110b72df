import Glibc
import TandemHTTP
import TandemJSON
import Testing

/// The streams of the conformance suite.
///
/// They stand here, not beside the parser, because reading them takes JSON.
@Suite struct EventStreamConformanceTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        let chunks: [[UInt8]]
        /// The types of the events that a correct client yields; nil where the client, not the stream, decides.
        let types: [String]?

        var testDescription: String { name }
        var bytes: [UInt8] { Array(chunks.joined()) }
    }

    static let vectors: [Vector] = {
        guard let json = try? JSONText(checking: file()) else { return [] }
        return (json["vectors"]?.elements ?? []).map { vector in
            let chunks = (vector["chunks_base64"]?.elements ?? []).map { base64($0.string ?? "") }
            return Vector(name: vector["name"]?.string ?? "", chunks: chunks, types: types(of: vector))
        }
    }()

    @Test func allStreamsAreThere() { #expect(EventStreamConformanceTests.vectors.count >= 90) }

    @Test(arguments: EventStreamConformanceTests.vectors) func eventsDoNotDependOnTheSplit(vector: Vector) throws {
        let bytes = vector.bytes
        let whole = try parse([bytes])
        #expect(try parse(vector.chunks) == whole)
        for size in [1, 2, 3, 7, 64] { #expect(try parse(split(bytes, by: size)) == whole) }
        guard bytes.count <= 600 else { return }
        for place in bytes.indices {
            #expect(try parse([Array(bytes[..<place]), Array(bytes[place...])]) == whole, "split at \(place)")
        }
    }

    @Test(arguments: EventStreamConformanceTests.vectors.filter { $0.types != nil })
    func eventsAreThoseOfACorrectClient(vector: Vector) throws {
        let types = try parse(vector.chunks).compactMap { event -> String? in
            guard let data = try? JSONText(checking: String(decoding: event.data, as: UTF8.self)) else { return nil }
            return data.kind == .object ? data["type"]?.string ?? event.name : nil
        }
        #expect(types == vector.types)
    }

    private func parse(_ chunks: [[UInt8]]) throws -> [EventStreamParser.Event] {
        var parser = EventStreamParser()
        var events: [EventStreamParser.Event] = []
        for chunk in chunks { try parser.read(chunk, into: &events) }
        return events
    }

    private func split(_ bytes: [UInt8], by size: Int) -> [[UInt8]] {
        stride(from: 0, to: bytes.count, by: size).map { Array(bytes[$0..<min($0 + size, bytes.count)]) }
    }

    /// Only what the standard decides: not the SDK's reading of JSON, and no response that is no event stream.
    private static func types(of vector: JSONText) -> [String]? {
        let mediaType = vector.at("http", "content_type")?.string?.lowercased().prefix { $0 != ";" }
        guard ["whatwg", "httpx-sse"].contains(vector["basis"]?.string), mediaType == "text/event-stream" else {
            return nil
        }
        let recommended = vector["recommended"]?.string == "same" ? vector["expected"] : vector["recommended"]
        guard recommended?["error"]?.isNull != false else { return nil }
        return recommended?["events"]?.elements.compactMap { $0["type"]?.string }
    }

    private static func file() -> [UInt8] {
        let folder = "\(#filePath)".split(separator: "/").dropLast(2).joined(separator: "/")
        let path = "/" + folder + "/Fixtures/conformance/sse_vectors-visible.json"
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(fd) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(fd, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
        return bytes
    }

    private static func base64(_ text: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var values = [UInt8: UInt32]()
        for (value, letter) in alphabet.enumerated() { values[letter] = UInt32(value) }
        var bytes: [UInt8] = []
        var (bits, held) = (UInt32(0), 0)
        for value in text.utf8.compactMap({ values[$0] }) {
            bits = bits << 6 | value
            held += 6
            if held >= 8 {
                held -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        return bytes
    }
}

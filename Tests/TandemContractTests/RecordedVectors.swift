import Glibc
import TandemJSON

@testable import TandemContract

/// The calls that the real engine was sent: arguments, request and reply (Tests/Fixtures/conformance).
enum RecordedVectors {
    static func all() throws -> [JSONText] {
        let here = String(#filePath.dropLast("TandemContractTests/RecordedVectors.swift".count))
        return try JSONText(checking: bytes(here + "Fixtures/conformance/engine_vectors-visible.json")).elements
    }

    private static func bytes(_ path: String) -> [UInt8] {
        let fd = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(fd) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while case let count = read(fd, &buffer, buffer.count), count > 0 { bytes += buffer.prefix(count) }
        return bytes
    }

    static func name(_ vector: JSONText) -> String {
        "\(vector["op"]?.string ?? "") (\(vector["variant"]?.string ?? ""))"
    }

    /// The vectors call the whole body of some operations "body".
    static func arguments(_ vector: JSONText, _ operation: TandemContract.Operation) -> JSONText {
        JSONWriter.object { writer in
            for (key, value) in vector["args"]?.members ?? [] {
                writer.member(key == "body" && operation.body != .fields ? "$body" : key, value)
            }
        }
    }
}

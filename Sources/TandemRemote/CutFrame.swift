/// What a frame that the engine cut at its 16,000 bytes still says of where it belongs.
struct CutFrame: Equatable, Sendable {
    private(set) var sessionID: String?
    private(set) var messageID: String?
    private(set) var runID: String?

    /// Identifiers count only where the engine puts an event's own: a tool's arguments may hold others.
    init(_ bytes: [UInt8]) {
        var scanner = Scanner(bytes)
        while let (path, name, value) = scanner.nextText() {
            guard path == ["properties"] || path == ["properties", "part"] else { continue }
            switch name {
            case "sessionID": sessionID = sessionID ?? value
            case "messageID": messageID = messageID ?? value
            case "runID": runID = runID ?? value
            default: break
            }
        }
    }
}

/// Walks through JSON that may end anywhere and finds the texts that are members of an event, its properties or their parts.
private struct Scanner {
    /// What stands deeper than a part's members, and what no JSON text of ours is.
    private static let (wanted, limit) = (3, 128)

    private let bytes: [UInt8]
    private var position = 0
    /// The open containers: the name that each stands under, and whether it is an object.
    private var open: [(name: String, isObject: Bool)] = []
    private var name: String?

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func nextText() -> (path: [String], name: String, value: String)? {
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard open.count < Scanner.limit else { return nil }
                open.append((name ?? "", byte == UInt8(ascii: "{")))
                name = nil
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                _ = open.popLast()
                name = nil
            case UInt8(ascii: ","): name = nil
            case UInt8(ascii: "\""):
                guard let text = text() else { return nil }
                guard open.last?.isObject == true else { continue }
                guard let name else {
                    name = text
                    continue
                }
                guard open.count <= Scanner.wanted else { continue }
                return (open.dropFirst().map(\.name), name, text)
            default: break
            }
        }
        return nil
    }

    /// The text whose opening quote has been read, escapes left as they are; nil where it is cut.
    private mutating func text() -> String? {
        let start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\\"): position += 2
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: bytes[start..<(position - 1)], as: UTF8.self)
            default: position += 1
            }
        }
        return nil
    }
}

internal import TandemJSON

/// A growing text as escaped JSON content, in pieces that copies share: adding to one copies the last piece at most.
struct TextPieces: Sendable {
    private var sealed: [[UInt8]] = []
    private var last: [UInt8] = []
    private(set) var count = 0

    private static let pieceBytes = 8_192

    init() {}

    init(escaped: some Collection<UInt8>) { append(escaped) }

    var isEmpty: Bool { count == 0 }
    /// What a copy may come to own when the text goes on.
    var ownBytes: Int { last.count + sealed.count * MemoryLayout<[UInt8]>.size }

    mutating func append(_ escaped: some Collection<UInt8>) {
        last.append(contentsOf: escaped)
        count += escaped.count
        guard last.count >= TextPieces.pieceBytes else { return }
        sealed.append(last)
        last = []
    }

    func write(to writer: inout JSONWriter) { writer.string(escapedPieces: sealed + [last]) }
}

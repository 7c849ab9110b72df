/// Eight bytes of a text, looked at together: most of a text is plain, and is passed over like this.
///
/// Marks are the high bits of bytes. Of a result's bits only the lowest is sure: a borrow may set others above it.
struct EightBytes {
    /// The first byte lowest.
    private let word: UInt64

    static let count = 8
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Bytes as they lie in memory.
    init(loaded word: UInt64) { self.word = UInt64(littleEndian: word) }

    /// How many bytes stand before the first that ends a string or escapes.
    var countBeforeStringMark: Int { EightBytes.index(marks(UInt8(ascii: "\"")) | marks(UInt8(ascii: "\\"))) }

    /// How many bytes stand before the first that a string has to escape: a mark or a control character.
    var countBeforeEscape: Int {
        let controls = (word &- EightBytes.ones &* 0x20) & ~word & EightBytes.highs
        return EightBytes.index(marks(UInt8(ascii: "\"")) | marks(UInt8(ascii: "\\")) | controls)
    }

    /// How many bytes stand before the first that is not plain inside a string: a mark, a control character, or no ASCII.
    var countOfPlain: Int {
        let controls = (word &- EightBytes.ones &* 0x20) & ~word & EightBytes.highs
        let others = controls | (word & EightBytes.highs)
        return EightBytes.index(marks(UInt8(ascii: "\"")) | marks(UInt8(ascii: "\\")) | others)
    }

    private func marks(_ byte: UInt8) -> UInt64 {
        let difference = word ^ (EightBytes.ones &* UInt64(byte))
        return (difference &- EightBytes.ones) & ~difference & EightBytes.highs
    }

    private static func index(_ marks: UInt64) -> Int { marks.trailingZeroBitCount / 8 }
}

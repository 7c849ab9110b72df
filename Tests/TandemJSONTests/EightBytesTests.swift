import Testing

@testable import TandemJSON

@Suite struct EightBytesTests {
    private func eight(_ bytes: [UInt8]) -> EightBytes {
        EightBytes(loaded: bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
    }

    /// Every byte in every place, after plain ones and before each of the marks.
    @Test func theFirstByteThatCountsIsFound() {
        for place in 0..<8 {
            for byte in UInt8.min...UInt8.max {
                for rest in [0x61, 0x22, 0x5C, 0x00, 0x1F, 0x80, 0xFF] as [UInt8] {
                    var bytes = [UInt8](repeating: 0x61, count: place) + [byte]
                    bytes += [UInt8](repeating: rest, count: 8 - bytes.count)
                    let mark = bytes.firstIndex { $0 == 0x22 || $0 == 0x5C } ?? 8
                    let other = bytes.firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 || $0 >= 0x80 } ?? 8
                    let escape = bytes.firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? 8
                    guard eight(bytes).countBeforeStringMark == mark, eight(bytes).countOfPlain == other,
                        eight(bytes).countBeforeEscape == escape
                    else {
                        Issue.record("\(bytes)")
                        return
                    }
                }
            }
        }
    }

    @Test func plainBytesNextToMarksAreNone() {
        for byte in [0x21, 0x23, 0x5B, 0x5D, 0x20, 0x7F] as [UInt8] {
            let bytes = [UInt8](repeating: byte, count: 8)
            #expect(eight(bytes).countBeforeStringMark == 8)
            #expect(eight(bytes).countOfPlain == 8)
            #expect(eight(bytes).countBeforeEscape == 8)
        }
    }
}

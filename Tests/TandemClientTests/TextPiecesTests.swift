import TandemJSON
import Testing

@testable import TandemClient

@Suite struct TextPiecesTests {
    private func written(_ text: TextPieces) -> JSONText {
        var writer = JSONWriter()
        text.write(to: &writer)
        return writer.finish()
    }

    @Test func piecesAreOneText() throws {
        var text = TextPieces()
        #expect(written(text).text == "\"\"")
        var whole = ""
        for number in 0..<5_000 {
            let piece = "piece \(number) "
            whole += piece
            text.append(Array(piece.utf8))
        }
        #expect(written(text).string == whole)
        #expect(text.count == whole.utf8.count)
    }

    @Test func copyStaysWhatItWas() {
        var text = TextPieces(escaped: Array("a\\n".utf8))
        let copy = text
        text.append(Array("b".utf8))
        #expect(written(copy).string == "a\n")
        #expect(written(text).string == "a\nb")
    }

    @Test func copyOwnsLittleOfALongText() {
        var text = TextPieces()
        for _ in 0..<1_000 { text.append([UInt8](repeating: 97, count: 1_000)) }
        #expect(text.count == 1_000_000)
        #expect(text.ownBytes < 16_384)
    }
}

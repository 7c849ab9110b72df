import TandemJSON
import Testing

@Suite struct JSONWriterTests {
    @Test func putsCommasWhereTheyBelong() {
        let json = JSONWriter.object { writer in
            writer.member("a", 1)
            writer.member(
                "b",
                array: { writer in
                    writer.string("x")
                    writer.object { _ in }
                    writer.array { $0.boolean(false) }
                }
            )
            writer.member("c", object: { $0.nullable("d", nil as String?) })
            writer.optional("left out", nil as String?)
            writer.member("e", 1.5)
        }
        #expect(json.text == #"{"a":1,"b":["x",{},[false]],"c":{"d":null},"e":1.5}"#)
    }

    @Test(arguments: ["", "plain", "\"\\/", "\u{0}\u{1F}\n\t\u{8}\u{C}\r", "é😀", "\u{7F}"])
    func whatItWritesReadsBackTheSame(text: String) throws {
        var writer = JSONWriter()
        writer.string(text)
        let json = writer.finish()
        #expect(try JSONText(checking: Array(json.bytes)).string == text)
        #expect(!json.bytes.contains(0))
    }

    @Test(
        arguments: [
            (0.1, "0.1"), (100, "100.0"), (1e300, "1e+300"), (-0.0, "-0.0"), (.leastNonzeroMagnitude, "5e-324"),
            (.infinity, "null"),
            (.nan, "null"),
        ] as [(Double, String)]
    )
    func writesTheShortestNumberThatReadsBack(value: Double, expected: String) {
        var writer = JSONWriter()
        writer.number(value)
        #expect(writer.finish().text == expected)
    }

    @Test func splicesCheckedValuesUntouched() throws {
        let inner = try JSONText(checking: " [ 1.50 , \"\\u0041\" ] ")
        #expect(JSONWriter.object { $0.member("v", inner) }.text == #"{"v":[ 1.50 , "\u0041" ]}"#)
    }
}

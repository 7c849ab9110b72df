import TandemJSON
import Testing

@Suite struct JSONTextTests {
    @Test(arguments: [
        "{}", "[]", " {\"a\" : [1, -0.5e+3, true, null, \"x\"] } ", "\"\"", "0", "[[[]],{}]", "\"\\ud83d\\ude00\"",
    ])
    func acceptsWhatRFC8259Allows(text: String) throws {
        _ = try JSONText(checking: text)
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("[1,", 3), ("{\"a\"}", 4), ("{\"a\":}", 5), ("[1 2]", 3), ("01", 1), ("1.", 2), ("1e", 2),
        ("-", 1), ("tru", 0), ("nul", 0), ("{}x", 2), ("\"a", 2), ("\"\\x\"", 1), ("\"\\u12g4\"", 5),
        ("\"\\ud800\"", 1),
        ("\"\\ud800\\u0041\"", 1), ("\"\\udc00\"", 1), ("\u{FEFF}{}", 0), ("[1,]", 3), ("{\"a\":1,}", 7),
        ("\"\u{01}\"", 1),
    ])
    func refusesTheRestAndSaysWhere(text: String, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONText(checking: text) }
        #expect(error?.offset == offset)
        #expect(error?.isLimit == false)
    }

    @Test(
        arguments: [
            [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22], [0x22, 0xFF, 0x22],
            [0x22, 0xF5, 0x80, 0x80, 0x80, 0x22], [0x22, 0xF0, 0x80, 0x80, 0x80, 0x22],
        ] as [[UInt8]]
    )
    func refusesBytesThatAreNotUTF8(bytes: [UInt8]) {
        let error = #expect(throws: JSONError.self) { try JSONText(checking: bytes) }
        #expect(error == JSONError("not UTF-8", at: 1))
    }

    @Test func depthIsLimitedWithoutRecursion() throws {
        let brackets = { (count: Int) in String(repeating: "[", count: count) + String(repeating: "]", count: count) }
        _ = try JSONText(checking: brackets(128))
        let error = #expect(throws: JSONError.self) { try JSONText(checking: brackets(129)) }
        #expect(error?.isLimit == true)
        #expect(error?.offset == 128)
        let mixed = String(repeating: "{\"a\":[", count: 64) + String(repeating: "]}", count: 64)
        #expect(try JSONText(checking: mixed).text == mixed)
        #expect(throws: JSONError.self) { try JSONText(checking: String(repeating: "[", count: 1_000_000)) }
    }

    @Test func givesMembersElementsAndScalars() throws {
        let json = try JSONText(
            checking: #" { "a" : [ 1 , {"b":"x\"y"} , [] ] , "n":null, "t":true, "f":-2.5, "a\/b":7 } "#
        )
        #expect(json.kind == .object)
        #expect(json["a"]?.elements.count == 3)
        #expect(json["a"]?.elements[1]["b"]?.string == "x\"y")
        #expect(json.at("a", "b") == nil)
        #expect(json["n"]?.isNull == true)
        #expect(json["t"]?.boolean == true)
        #expect(json["f"]?.number == -2.5)
        #expect(json["f"]?.integer == nil)
        #expect(json["a/b"]?.integer == 7)
        #expect(json["missing"] == nil)
        #expect(json.members.map(\.key) == ["a", "n", "t", "f", "a/b"])
    }

    @Test func aNameThatComesTwiceMeansItsLastValue() throws {
        #expect(try JSONText(checking: #"{"a":1,"a":2}"#)["a"]?.integer == 2)
    }

    @Test(arguments: [
        (#""a\u0041\n\t\b\f\r\/\\""#, "aA\n\t\u{8}\u{C}\r/\\"), (#""\ud83d\ude00é\u00e9""#, "😀éé"),
        (#""\u0000""#, "\0"),
    ])
    func undoesEscapes(text: String, expected: String) throws {
        #expect(try JSONText(checking: text).string == expected)
    }

    @Test(arguments: [
        ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("7.0", 7), ("1e3", 1000), ("-0", 0),
    ])
    func readsIntegersExactly(text: String, expected: Int64) throws {
        #expect(try JSONText(checking: text).integer == expected)
    }

    @Test(arguments: ["9223372036854775808", "1.5", "1e400", "-1e400"])
    func doesNotGuessAnIntegerThatIsNone(text: String) throws {
        #expect(try JSONText(checking: text).integer == nil)
    }

    @Test func aNumberBeyondDoublesIsNoNumber() throws {
        #expect(try JSONText(checking: "1e400").number == nil)
        #expect(try JSONText(checking: "5e-324").number == Double.leastNonzeroMagnitude)
    }

    @Test(arguments: [
        ("", #"{"a":[1,{"b/c":2}],"":3,"m~n":4}"#), ("/a/0", "1"), ("/a/1/b~1c", "2"), ("/", "3"), ("/m~0n", "4"),
    ])
    func followsPointers(pointer: String, expected: String) throws {
        let json = try JSONText(checking: #"{"a":[1,{"b/c":2}],"":3,"m~n":4}"#)
        #expect(json.value(at: pointer)?.text == expected)
    }

    @Test func aPointerIsReadByScalarsNotCharacters() throws {
        let json = try JSONText(checking: #"{"\u0301x":{"a/\u0301":5}}"#)
        #expect(json.value(at: "/\u{301}x/a~1\u{301}")?.text == "5")
    }

    @Test(arguments: ["a", "/a/2", "/a/-", "/a/01", "/x", "/a/0/b"])
    func aPointerToNothingGivesNothing(pointer: String) throws {
        let json = try JSONText(checking: #"{"a":[1,{"b/c":2}]}"#)
        #expect(json.value(at: pointer) == nil)
    }
}

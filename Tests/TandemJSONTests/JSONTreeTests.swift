import Glibc
import Synchronization
import Testing

@testable import TandemJSON

@Suite struct JSONTreeTests {
    @Test(arguments: [
        #"{"z":1,"a":2,"m":3}"#, "0.1", "[9223372036854775807,-9223372036854775808]", "[1.5,1e-07,-2.0]",
        #"["é","\u0000","\"\\"]"#, "[]", "{}", #"{"":{"a":[null,true,false]}}"#, "null", #""text""#,
    ])
    func textComesBackAsItWas(text: String) throws {
        #expect(try JSONTree(checking: text).text.text == text)
    }

    @Test(arguments: ["{", "[1,]", "nul", "01", "\"\u{1}\"", "{\"a\":1}x"])
    func whatIsNoJSONIsRefusedAtItsOffset(text: String) throws {
        let expected = #expect(throws: JSONError.self) { try JSONText(checking: text) }
        let error = #expect(throws: JSONError.self) { try JSONTree(checking: text) }
        #expect(error == expected)
    }

    @Test func depthIsLimitedTo64() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try JSONTree(checking: nested(64)).text.text == nested(64))
        let error = #expect(throws: JSONError.self) { try JSONTree(checking: nested(65)) }
        #expect(error?.isLimit == true)
        #expect(error?.offset == 64)
    }

    @Test func bracketsInStringsAreNoDepth() throws {
        let text = "\"\\\"" + String(repeating: "[", count: 200) + "\""
        #expect(try JSONTree(checking: text).string?.count == 201)
    }

    @Test(arguments: ["9223372036854775808", "-9223372036854775809", "1e400", #"{"\u0000":1}"#])
    func whatATreeCannotHoldIsALimit(text: String) {
        let error = #expect(throws: JSONError.self) { try JSONTree(checking: text) }
        #expect(error?.isLimit == true)
    }

    @Test func scalarsAreReadByKind() throws {
        let tree = try JSONTree(checking: #"{"s":"é","i":7,"r":7.0,"h":0.5,"t":true,"n":null,"o":{},"a":[1,2]}"#)
        #expect(tree["s"]?.string == "é")
        #expect(tree["i"]?.integer == 7)
        #expect(tree["r"]?.integer == 7)
        #expect(tree["h"]?.integer == nil)
        #expect(tree["h"]?.number == 0.5)
        #expect(tree["t"]?.boolean == true)
        #expect(tree["n"]?.kind == .null)
        #expect(tree["o"]?.kind == .object)
        #expect(tree["a"]?.elements.map(\.integer) == [1, 2])
        #expect(tree["x"] == nil)
        #expect(tree["s"]?["x"] == nil)
    }

    @Test func membersAreSetReplacedAndRemoved() throws {
        let tree = try JSONTree(checking: #"{"a":1,"b":2}"#)
        tree.set("c", "text")
        tree.set("a", true)
        tree.set("", 5)
        tree.remove("b")
        tree.remove("not there")
        #expect(tree.text.text == #"{"a":true,"c":"text","":5}"#)
        #expect(tree.members.map(\.key) == ["a", "c", ""])
    }

    @Test func aMemberIsAPartOfTheTree() throws {
        let tree = try JSONTree(checking: #"{"a":{"b":[]}}"#)
        tree["a"]?["b"]?.append(JSONTree(0.1))
        tree["a"]?["b"]?.append(.null())
        #expect(tree.text.text == #"{"a":{"b":[0.1,null]}}"#)
    }

    @Test func whatIsPutInIsACopy() {
        let part = JSONTree.object()
        let tree = JSONTree.object()
        tree.set("part", part)
        part.set("late", 1)
        tree.set("itself", tree)
        #expect(tree.text.text == #"{"part":{},"itself":{"part":{}}}"#)
    }

    @Test func aCopyIsOnItsOwn() throws {
        let tree = try JSONTree(checking: #"{"a":{"b":1}}"#)
        let copy = tree.copy()
        copy["a"]?.set("b", 2)
        #expect(tree.text.text == #"{"a":{"b":1}}"#)
        #expect(copy.text.text == #"{"a":{"b":2}}"#)
    }

    @Test(arguments: [
        (false, #"{"a":{"x":1,"y":null,"z":3},"b":[2],"c":null,"d":4}"#),
        (true, #"{"a":{"x":1,"y":2,"z":3},"b":[2],"c":{"k":1},"d":4}"#),
    ])
    func mergingGoesIntoObjects(ignoringNulls: Bool, expected: String) throws {
        let tree = try JSONTree(checking: #"{"a":{"x":1,"y":2},"b":[1],"c":{"k":1}}"#)
        let other = try JSONTree(checking: #"{"a":{"y":null,"z":3},"b":[2],"c":null,"d":4}"#)
        tree.merge(other, ignoringNulls: ignoringNulls)
        #expect(tree.text.text == expected)
    }

    @Test func changesOfAnotherKindDoNothing() {
        let text = JSONTree("text")
        text.set("a", 1)
        text.append(.null())
        text.merge(.object())
        text.remove("a")
        #expect(text.text.text == #""text""#)
    }

    @Test func numbersDoNotDependOnTheLocale() throws {
        // Where the machine has no German locale this still sees that switching during a parse does no harm.
        let flipper = Flipper()
        defer { flipper.stop() }
        for _ in 0..<2_000 {
            let tree = try JSONTree(checking: #"[0.1,1234567.5,-1e-3]"#)
            #expect(tree.text.text == "[0.1,1234567.5,-0.001]")
        }
    }
}

/// Switches the process's locale on another thread until it is stopped.
private final class Flipper {
    private final class Flag: Sendable {
        let isRunning = Atomic(true)
    }

    private let flag = Flag()
    private var thread = pthread_t()

    init() {
        let context = Unmanaged.passUnretained(flag).toOpaque()
        pthread_create(&thread, nil, Flipper.flip, context)
    }

    func stop() {
        flag.isRunning.store(false, ordering: .relaxed)
        pthread_join(thread, nil)
    }

    private static let flip: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
        guard let context else { return nil }
        let flag = Unmanaged<Flag>.fromOpaque(context).takeUnretainedValue()
        while flag.isRunning.load(ordering: .relaxed) {
            for name in ["de_DE.UTF-8", "C.UTF-8", "C"] { setlocale(LC_NUMERIC, name) }
        }
        return nil
    }
}

/// A checked JSON value: a slice of a text that was checked once.
///
/// Copies share the text.
package struct JSONText: Sendable {
    package enum Kind: Sendable { case object, array, string, number, boolean, null }

    private let storage: [UInt8]
    private let start: Int
    private let end: Int

    package init(checking bytes: [UInt8]) throws(JSONError) {
        let range = try JSONChecker.check(bytes.span)
        self.init(storage: bytes, start: range.lowerBound, end: range.upperBound)
    }

    package init(checking text: String) throws(JSONError) { try self.init(checking: Array(text.utf8)) }

    /// Takes bytes that are known to be one JSON value without white space around it: those a `JSONWriter` made.
    package init(trusted bytes: [UInt8]) { self.init(storage: bytes, start: 0, end: bytes.count) }

    private init(storage: [UInt8], start: Int, end: Int) {
        self.storage = storage
        self.start = start
        self.end = end
    }

    private init(_ literal: StaticString) { self.init(trusted: Array("\(literal)".utf8)) }

    package static let null = JSONText("null")
    package static let emptyObject = JSONText("{}")
    package static let emptyArray = JSONText("[]")

    /// The value's own bytes.
    package var bytes: ArraySlice<UInt8> { storage[start..<end] }

    /// The value's own bytes as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package var kind: Kind {
        switch storage[start] {
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): .boolean
        case UInt8(ascii: "n"): .null
        default: .number
        }
    }

    package var isNull: Bool { kind == .null }

    package var boolean: Bool? { kind == .boolean ? storage[start] == UInt8(ascii: "t") : nil }

    /// The number where it is an integer that Int64 holds, written as one (7, or 7.0, or 7e0).
    package var integer: Int64? {
        guard kind == .number else { return nil }
        if let exact = Int64(text) { return exact }
        return number.flatMap { Int64(exactly: $0) }
    }

    /// The nearest double; nil where the text is no number or beyond the range of doubles.
    package var number: Double? {
        guard kind == .number, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// The string with its escapes undone; nil where the value is no string.
    package var string: String? {
        guard kind == .string else { return nil }
        let content = storage[start + 1..<end - 1]
        guard content.contains(UInt8(ascii: "\\")) else { return String(decoding: content, as: UTF8.self) }
        return String(decoding: JSONText.unescaped(content), as: UTF8.self)
    }

    /// The string's content as it stands between the quotes, escapes and all.
    package var escapedContent: ArraySlice<UInt8>? { kind == .string ? storage[start + 1..<end - 1] : nil }
}

extension JSONText: Equatable {
    /// Equal when the texts are equal to the byte: `1.0` and `1` are not.
    package static func == (left: JSONText, right: JSONText) -> Bool { left.bytes.elementsEqual(right.bytes) }
}

// Access to what is inside. The text was checked, so scanning only has to find ends.
extension JSONText {
    /// The member of that name, the last one where several have it; nil unless the value is an object.
    package subscript(_ key: String) -> JSONText? {
        var found: JSONText?
        var name = key
        name.withUTF8 { name in
            forEachMember { quoted, value in
                if unsafe isName(quoted, name) { found = slice(value) }
                return true
            }
        }
        return found
    }

    /// The member of the member, and so on.
    package func at(_ path: String...) -> JSONText? {
        var value = self
        for key in path {
            guard let next = value[key] else { return nil }
            value = next
        }
        return value
    }

    /// The members in the order of the text; empty unless the value is an object.
    package var members: [(key: String, value: JSONText)] {
        var result: [(key: String, value: JSONText)] = []
        forEachMember { quoted, value in
            result.append((slice(quoted).string ?? "", slice(value)))
            return true
        }
        return result
    }

    /// The elements; empty unless the value is an array.
    package var elements: [JSONText] {
        guard kind == .array else { return [] }
        var result: [JSONText] = []
        unsafe storage.withUnsafeBufferPointer { bytes in
            let scan = unsafe Scan(bytes: bytes, end: end)
            var position = unsafe scan.space(start + 1)
            while unsafe position < end && scan[position] != UInt8(ascii: "]") {
                let valueEnd = unsafe scan.value(position)
                result.append(slice(position..<valueEnd))
                position = unsafe scan.space(valueEnd)
                if unsafe scan[position] == UInt8(ascii: ",") { position = unsafe scan.space(position + 1) }
            }
        }
        return result
    }

    /// The value a JSON pointer names (RFC 6901); nil where there is none or the pointer is none.
    package func value(at pointer: String) -> JSONText? {
        guard !pointer.isEmpty else { return self }
        guard pointer.utf8.first == UInt8(ascii: "/") else { return nil }
        var value = self
        // By scalars: a slash and a combining mark behind it are one character.
        for token in pointer.unicodeScalars.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let next = value.child(String(token)) else { return nil }
            value = next
        }
        return value
    }

    private func child(_ token: String) -> JSONText? {
        switch kind {
        case .object: return self[JSONText.unescapedPointerToken(token)]
        case .array:
            // RFC 6901 section 4: no leading zeros.
            guard let index = Int(token), index >= 0, String(index) == token else { return nil }
            let elements = elements
            return index < elements.count ? elements[index] : nil
        default: return nil
        }
    }

    private static func unescapedPointerToken(_ token: String) -> String {
        var result = String.UnicodeScalarView()
        var tilde = false
        for scalar in token.unicodeScalars {
            if tilde {
                result.append(scalar == "1" ? "/" : scalar == "0" ? "~" : scalar)
                tilde = false
            } else if scalar == "~" {
                tilde = true
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private func slice(_ range: Range<Int>) -> JSONText {
        JSONText(storage: storage, start: range.lowerBound, end: range.upperBound)
    }

    private func isName(_ quoted: Range<Int>, _ name: UnsafeBufferPointer<UInt8>) -> Bool {
        let content = storage[quoted.lowerBound + 1..<quoted.upperBound - 1]
        if content.count == name.count { return unsafe content.elementsEqual(name) }
        guard content.count > name.count, content.contains(UInt8(ascii: "\\")) else { return false }
        return unsafe JSONText.unescaped(content).elementsEqual(name)
    }

    private func forEachMember(_ body: (_ name: Range<Int>, _ value: Range<Int>) -> Bool) {
        guard kind == .object else { return }
        unsafe storage.withUnsafeBufferPointer { bytes in
            let scan = unsafe Scan(bytes: bytes, end: end)
            var position = unsafe scan.space(start + 1)
            while unsafe scan[position] != UInt8(ascii: "}") {
                let nameEnd = unsafe scan.string(position)
                let valueStart = unsafe scan.space(scan.space(nameEnd) + 1)
                let valueEnd = unsafe scan.value(valueStart)
                guard body(position..<nameEnd, valueStart..<valueEnd) else { return }
                position = unsafe scan.space(valueEnd)
                if unsafe scan[position] == UInt8(ascii: ",") { position = unsafe scan.space(position + 1) }
            }
        }
    }

    /// Undoes the escapes of checked string content.
    private static func unescaped(_ content: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(content.count)
        var position = content.startIndex
        func unit() -> UInt32 {
            content[position + 2..<position + 6].reduce(0) { $0 << 4 | UInt32(JSONChecker.hexadecimalDigit($1) ?? 0) }
        }
        while position < content.endIndex {
            guard content[position] == UInt8(ascii: "\\") else {
                result.append(content[position])
                position += 1
                continue
            }
            switch content[position + 1] {
            case UInt8(ascii: "u"):
                var scalar = unit()
                position += 6
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 | (unit() & 0x3FF)
                    position += 6
                }
                result.append(contentsOf: Unicode.Scalar(scalar).map { Array(Character($0).utf8) } ?? [])
                continue
            case UInt8(ascii: "b"): result.append(0x08)
            case UInt8(ascii: "f"): result.append(0x0C)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "t"): result.append(0x09)
            case let other: result.append(other)
            }
            position += 2
        }
        return result
    }
}

/// Finds where things end; never looks beyond the end, so that a stored text somebody damaged is only misread.
@unsafe private struct Scan {
    let bytes: UnsafeBufferPointer<UInt8>
    let end: Int

    /// The byte there; a brace beyond the end, which ends whatever is being looked for.
    subscript(_ position: Int) -> UInt8 {
        unsafe position < end ? bytes[position] : UInt8(ascii: "}")
    }

    func space(_ from: Int) -> Int {
        var position = from
        while unsafe position < end && bytes[position] <= 0x20 { position += 1 }
        return position
    }

    func string(_ from: Int) -> Int {
        var position = from + 1
        while unsafe position + EightBytes.count <= end {
            let count = unsafe EightBytes(loaded: load(position)).countBeforeStringMark
            position += count
            if count == EightBytes.count { continue }
            if unsafe bytes[position] == UInt8(ascii: "\"") { return position + 1 }
            position += 2
        }
        while unsafe position < end {
            let byte = unsafe bytes[position]
            if byte == UInt8(ascii: "\"") { return position + 1 }
            position += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return unsafe end
    }

    private func load(_ position: Int) -> UInt64 {
        unsafe UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped).loadUnaligned(
            fromByteOffset: position,
            as: UInt64.self
        )
    }

    func value(_ from: Int) -> Int {
        switch unsafe self[from] {
        case UInt8(ascii: "\""): return unsafe string(from)
        case UInt8(ascii: "{"), UInt8(ascii: "["): return unsafe container(from)
        default:
            var position = from
            while unsafe position < end && !isEnd(bytes[position]) { position += 1 }
            return position
        }
    }

    private func container(_ from: Int) -> Int {
        var position = from
        var depth = 0
        repeat {
            switch unsafe self[position] {
            case UInt8(ascii: "\""):
                position = unsafe string(position)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            position += 1
        } while depth > 0
        return unsafe min(position, end)
    }

    private func isEnd(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte <= 0x20
    }
}

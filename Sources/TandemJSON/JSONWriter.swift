/// Writes JSON as bytes; where commas belong is its own business.
///
/// Strings come out as UTF-8 with only what JSON demands escaped; numbers do not depend on the locale.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init() {}

    package init(reservingCapacity count: Int) { bytes.reserveCapacity(count) }

    /// Room for most texts: growing to it byte by byte would cost more than writing them.
    private static let usualCount = 256

    /// The text of an object whose members `body` writes.
    package static func object(_ body: (inout JSONWriter) -> Void) -> JSONText {
        var writer = JSONWriter(reservingCapacity: usualCount)
        writer.object(body)
        return writer.finish()
    }

    /// The text of an array whose elements `body` writes.
    package static func array(_ body: (inout JSONWriter) -> Void) -> JSONText {
        var writer = JSONWriter()
        writer.array(body)
        return writer.finish()
    }

    package consuming func finish() -> JSONText { JSONText(trusted: bytes) }

    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    package mutating func array(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "["))
        body(&self)
        close(UInt8(ascii: "]"))
    }

    /// A member's name; exactly one value has to follow.
    package mutating func key(_ name: String) {
        string(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        var value = value
        value.withUTF8 { unsafe JSONWriter.appendEscaped($0, to: &bytes) }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    /// A string whose content is escaped already and lies in pieces.
    package mutating func string(escapedPieces pieces: some Sequence<[UInt8]>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for piece in pieces { bytes.append(contentsOf: piece) }
        bytes.append(UInt8(ascii: "\""))
        needsComma = true
    }

    package mutating func integer(_ value: Int64) { scalar(String(value)) }

    /// The shortest text that reads back as the same double; null for what JSON cannot say.
    package mutating func number(_ value: Double) { scalar(value.isFinite ? value.description : "null") }

    package mutating func boolean(_ value: Bool) { scalar(value ? "true" : "false") }

    package mutating func null() { scalar("null") }

    /// A checked value, spliced in as it is.
    package mutating func value(_ value: JSONText) { raw(value.bytes) }

    /// Bytes that are one JSON value.
    package mutating func raw(_ value: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: value)
        needsComma = true
    }

    private mutating func scalar(_ text: String) { raw(text.utf8) }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func open(_ byte: UInt8) {
        separate()
        bytes.append(byte)
        needsComma = false
    }

    private mutating func close(_ byte: UInt8) {
        bytes.append(byte)
        needsComma = true
    }

    /// Appends string content with the escapes of RFC 8259 section 7.
    package static func appendEscaped(_ content: UnsafeBufferPointer<UInt8>, to bytes: inout [UInt8]) {
        var clean = 0
        var next = 0
        while true {
            let index = unsafe firstToEscape(content, from: next)
            if index == content.count { break }
            let byte = unsafe content[index]
            unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[clean..<index]))
            clean = index + 1
            next = clean
            bytes.append(UInt8(ascii: "\\"))
            switch byte {
            case 0x08: bytes.append(UInt8(ascii: "b"))
            case 0x09: bytes.append(UInt8(ascii: "t"))
            case 0x0A: bytes.append(UInt8(ascii: "n"))
            case 0x0C: bytes.append(UInt8(ascii: "f"))
            case 0x0D: bytes.append(UInt8(ascii: "r"))
            case 0..<0x20:
                bytes.append(contentsOf: "u00".utf8)
                bytes.append(byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                let low = byte & 0xF
                bytes.append(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
            default: bytes.append(byte)
            }
        }
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[clean...]))
    }

    /// Where the first byte stands that cannot stand in a string as it is; the end where there is none.
    private static func firstToEscape(_ content: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        var index = start
        while index + EightBytes.count <= content.count {
            let word = unsafe UnsafeRawPointer(content.baseAddress.unsafelyUnwrapped).loadUnaligned(
                fromByteOffset: index,
                as: UInt64.self
            )
            let count = EightBytes(loaded: word).countBeforeEscape
            index += count
            if count < EightBytes.count { return index }
        }
        while index < content.count {
            let byte = unsafe content[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return index }
            index += 1
        }
        return index
    }
}

extension JSONText {
    /// A text as a JSON string.
    package init(string: String) {
        var writer = JSONWriter()
        writer.string(string)
        self = writer.finish()
    }
}

// A name and its value in one call.
extension JSONWriter {
    package mutating func member(_ name: String, _ value: String) {
        key(name)
        string(value)
    }

    package mutating func member(_ name: String, _ value: Int64) {
        key(name)
        integer(value)
    }

    package mutating func member(_ name: String, _ value: Int) { member(name, Int64(value)) }

    package mutating func member(_ name: String, _ value: Bool) {
        key(name)
        boolean(value)
    }

    package mutating func member(_ name: String, _ value: Double) {
        key(name)
        number(value)
    }

    package mutating func member(_ name: String, _ value: JSONText) {
        key(name)
        self.value(value)
    }

    package mutating func member(_ name: String, object body: (inout JSONWriter) -> Void) {
        key(name)
        object(body)
    }

    package mutating func member(_ name: String, array body: (inout JSONWriter) -> Void) {
        key(name)
        array(body)
    }

    /// Writes the member only where there is a value.
    package mutating func optional(_ name: String, _ value: String?) {
        if let value { member(name, value) }
    }

    package mutating func optional(_ name: String, _ value: Int64?) {
        if let value { member(name, value) }
    }

    package mutating func optional(_ name: String, _ value: Double?) {
        if let value { member(name, value) }
    }

    package mutating func optional(_ name: String, _ value: JSONText?) {
        if let value { member(name, value) }
    }

    /// Writes the member as null where there is no value.
    package mutating func nullable(_ name: String, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }

    package mutating func nullable(_ name: String, _ value: Int64?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    package mutating func nullable(_ name: String, _ value: JSONText?) {
        key(name)
        if let value { self.value(value) } else { null() }
    }
}

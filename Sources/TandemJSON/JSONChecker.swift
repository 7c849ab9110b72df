/// Checks a text once, without recursion: UTF-8 (RFC 3629), grammar and string escapes (RFC 8259), depth and size.
struct JSONChecker {
    private var position = 0
    /// One bit a level, lowest the innermost: 1 for an object.
    private var levels = (low: UInt64(0), high: UInt64(0))
    private var depth = 0

    /// Throws unless `bytes` is exactly one value with white space around it; gives where that value stands.
    static func check(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
        guard bytes.count <= JSONLimit.bytes else {
            throw JSONError("longer than \(JSONLimit.bytes) bytes", at: JSONLimit.bytes, isLimit: true)
        }
        var checker = JSONChecker()
        return try checker.document(bytes)
    }

    private mutating func document(_ bytes: Span<UInt8>) throws(JSONError) -> Range<Int> {
        skipSpace(bytes)
        let start = position
        try value(bytes)
        while depth > 0 { try continueContainer(bytes) }
        let end = position
        skipSpace(bytes)
        guard position == bytes.count else { throw JSONError("text after the end of the value", at: position) }
        return start..<end
    }

    /// Reads a scalar whole, or opens a container; an empty container is read whole.
    private mutating func value(_ bytes: Span<UInt8>) throws(JSONError) {
        guard position < bytes.count else { throw JSONError("the text ends where a value is due", at: position) }
        switch bytes[position] {
        case UInt8(ascii: "{"): try open(bytes, isObject: true)
        case UInt8(ascii: "["): try open(bytes, isObject: false)
        case UInt8(ascii: "\""): try string(bytes)
        case UInt8(ascii: "t"): try word("true", bytes)
        case UInt8(ascii: "f"): try word("false", bytes)
        case UInt8(ascii: "n"): try word("null", bytes)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(bytes)
        default: throw JSONError("no value begins like this", at: position)
        }
    }

    private mutating func open(_ bytes: Span<UInt8>, isObject: Bool) throws(JSONError) {
        guard depth < JSONLimit.depth else {
            throw JSONError("deeper than \(JSONLimit.depth) levels", at: position, isLimit: true)
        }
        levels.high = levels.high << 1 | levels.low >> 63
        levels.low = levels.low << 1 | (isObject ? 1 : 0)
        depth += 1
        position += 1
        skipSpace(bytes)
        if position < bytes.count, bytes[position] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            close()
        } else {
            try member(bytes, isObject: isObject)
        }
    }

    private mutating func close() {
        position += 1
        depth -= 1
        levels.low = levels.low >> 1 | levels.high << 63
        levels.high >>= 1
    }

    /// After a value inside a container: a comma and the next value, or the end of the container.
    private mutating func continueContainer(_ bytes: Span<UInt8>) throws(JSONError) {
        skipSpace(bytes)
        let isObject = levels.low & 1 == 1
        guard position < bytes.count else { throw JSONError("the text ends inside a value", at: position) }
        if bytes[position] == UInt8(ascii: ",") {
            position += 1
            skipSpace(bytes)
            try member(bytes, isObject: isObject)
        } else if bytes[position] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            close()
        } else {
            throw JSONError(isObject ? "neither a comma nor a brace" : "neither a comma nor a bracket", at: position)
        }
    }

    private mutating func member(_ bytes: Span<UInt8>, isObject: Bool) throws(JSONError) {
        if isObject {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                throw JSONError("no member name", at: position)
            }
            try string(bytes)
            skipSpace(bytes)
            guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else {
                throw JSONError("no colon after a member name", at: position)
            }
            position += 1
            skipSpace(bytes)
        }
        try value(bytes)
    }

    private mutating func skipSpace(_ bytes: Span<UInt8>) {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func word(_ word: StaticString, _ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, unsafe bytes[position] == word.utf8Start[index] else {
                throw JSONError("no value begins like this", at: start)
            }
            position += 1
        }
    }

    private mutating func number(_ bytes: Span<UInt8>) throws(JSONError) {
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            try digits(bytes)
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits(bytes)
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            try digits(bytes)
        }
    }

    private mutating func digits(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        while position < bytes.count, bytes[position] &- UInt8(ascii: "0") < 10 { position += 1 }
        if position == start { throw JSONError("no digit where a number needs one", at: position) }
    }

    private mutating func string(_ bytes: Span<UInt8>) throws(JSONError) {
        position += 1
        skipPlain(bytes)
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return
            case UInt8(ascii: "\\"):
                try escape(bytes)
                skipPlain(bytes)
            case 0..<0x20: throw JSONError("a control character inside a string", at: position)
            case 0x20..<0x80: position += 1
            default: position += try JSONChecker.scalarLength(bytes, at: position)
            }
        }
        throw JSONError("the text ends inside a string", at: position)
    }

    /// Passes over what is plain in a string, as long as there are eight bytes to look at together.
    private mutating func skipPlain(_ bytes: Span<UInt8>) {
        while position + EightBytes.count <= bytes.count {
            let word = unsafe bytes.bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
            let count = EightBytes(loaded: word).countOfPlain
            position += count
            if count < EightBytes.count { return }
        }
    }

    private mutating func escape(_ bytes: Span<UInt8>) throws(JSONError) {
        let start = position
        guard position + 1 < bytes.count else { throw JSONError("the text ends inside a string", at: bytes.count) }
        switch bytes[position + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 2
        case UInt8(ascii: "u"):
            let unit = try hexadecimal(bytes)
            guard unit & 0xF800 == 0xD800 else { return }
            guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u"), try hexadecimal(bytes) & 0xFC00 == 0xDC00
            else { throw JSONError("half of a surrogate pair", at: start) }
        default: throw JSONError("an escape that JSON has not", at: start)
        }
    }

    private mutating func hexadecimal(_ bytes: Span<UInt8>) throws(JSONError) -> UInt16 {
        guard position + 6 <= bytes.count else { throw JSONError("the text ends inside a string", at: bytes.count) }
        var unit: UInt16 = 0
        for index in position + 2..<position + 6 {
            guard let digit = JSONChecker.hexadecimalDigit(bytes[index]) else {
                throw JSONError("no hexadecimal digit", at: index)
            }
            unit = unit << 4 | UInt16(digit)
        }
        position += 6
        return unit
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// The length of the well-formed UTF-8 sequence at `position` (table 3-7 of the Unicode standard).
    static func scalarLength(_ bytes: Span<UInt8>, at position: Int) throws(JSONError) -> Int {
        func isContinuation(_ offset: Int, _ range: ClosedRange<UInt8> = 0x80...0xBF) -> Bool {
            position + offset < bytes.count && range.contains(bytes[position + offset])
        }
        let wellFormed: Bool
        let length: Int
        switch bytes[position] {
        case 0..<0x80: (length, wellFormed) = (1, true)
        case 0xC2...0xDF: (length, wellFormed) = (2, isContinuation(1))
        case 0xE0: (length, wellFormed) = (3, isContinuation(1, 0xA0...0xBF) && isContinuation(2))
        case 0xED: (length, wellFormed) = (3, isContinuation(1, 0x80...0x9F) && isContinuation(2))
        case 0xE1...0xEF: (length, wellFormed) = (3, isContinuation(1) && isContinuation(2))
        case 0xF0:
            (length, wellFormed) = (4, isContinuation(1, 0x90...0xBF) && isContinuation(2) && isContinuation(3))
        case 0xF1...0xF3: (length, wellFormed) = (4, isContinuation(1) && isContinuation(2) && isContinuation(3))
        case 0xF4:
            (length, wellFormed) = (4, isContinuation(1, 0x80...0x8F) && isContinuation(2) && isContinuation(3))
        default: (length, wellFormed) = (1, false)
        }
        guard wellFormed else { throw JSONError("not UTF-8", at: position) }
        return length
    }
}

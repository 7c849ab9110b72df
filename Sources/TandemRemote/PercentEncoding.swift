/// Percent-encoding of RFC 3986: all but the unreserved characters.
enum PercentEncoding {
    private static let digits = Array("0123456789ABCDEF".utf8)

    /// A path segment, or several where slashes are kept; a segment of points only stays no step in the path.
    static func segment(_ text: String, keepsSlashes: Bool = false) -> String {
        if keepsSlashes {
            return text.split(separator: "/", omittingEmptySubsequences: false).map { segment(String($0)) }
                .joined(separator: "/")
        }
        if text == "." || text == ".." { return String(repeating: "%2E", count: text.utf8.count) }
        return encoded(text)
    }

    static func encoded(_ text: String) -> String {
        var result: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}

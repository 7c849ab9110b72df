/// Constants as C writes them.
enum CText {
    /// A string literal, or NULL.
    static func literal(_ text: String?) -> String {
        guard let text else { return "NULL" }
        var bytes: [UInt8] = [UInt8(ascii: "\"")]
        var previous: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            // Two question marks may begin a trigraph.
            case UInt8(ascii: "?") where previous == byte: bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                bytes += [UInt8(ascii: "\\"), 0x30, 0x30 + byte / 8, 0x30 + byte % 8]
            default: bytes.append(byte)
            }
            previous = byte
        }
        bytes.append(UInt8(ascii: "\""))
        return String(decoding: bytes, as: UTF8.self)
    }

    static func strings(_ texts: [String]) -> String {
        "{(const char *const[]){\(texts.map(literal).joined(separator: ", "))}, \(texts.count)}"
    }

    /// `.name = value` for each member that is not zero.
    static func members(_ members: [(name: String, value: String?)]) -> String {
        members.compactMap { member in member.value.map { ".\(member.name) = \($0)" } }.joined(separator: ", ")
    }

    static func flag(_ flag: Bool) -> String? { flag ? "true" : nil }

    static func list(_ texts: [String]) -> String? { texts.isEmpty ? nil : strings(texts) }

    static func optional(_ text: String?) -> String? { text.map(literal) }

    /// One object, a member a line, as adjacent literals.
    static func object(_ members: [(key: String, value: Value)]) -> String {
        let lines = members.enumerated().map { index, member in
            literal((index == 0 ? "" : ",") + Value.quoted(member.key) + ":" + member.value.compact)
        }
        return (["\"{\""] + lines + ["\"}\""]).map { "    " + $0 }.joined(separator: "\n")
    }

    static let opening = "/* \(Output.mark) */\n#include \"tandem_table.h\"\n\n"
}

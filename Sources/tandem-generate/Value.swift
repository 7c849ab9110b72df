internal import TandemJSON

/// A JSON value of the contract; members keep the order of the file, numbers their digits.
indirect enum Value: Equatable {
    struct Member: Equatable {
        let key: String
        let value: Value
    }

    case object([Member])
    case array([Value])
    case string(String)
    case number(String)
    case boolean(Bool)
    case null

    init(_ json: JSONText) {
        switch json.kind {
        case .object: self = .object(json.members.map { Member(key: $0.key, value: Value($0.value)) })
        case .array: self = .array(json.elements.map(Value.init))
        case .string: self = .string(json.string ?? "")
        case .number: self = .number(json.text)
        case .boolean: self = .boolean(json.boolean == true)
        case .null: self = .null
        }
    }

    var members: [Member] { if case .object(let members) = self { members } else { [] } }
    var elements: [Value] { if case .array(let elements) = self { elements } else { [] } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var integer: Int? { if case .number(let digits) = self { Int(digits) } else { nil } }
    var isScalar: Bool {
        switch self {
        case .object, .array: false
        default: true
        }
    }
    var isTrue: Bool { self == .boolean(true) }
    var strings: [String] { elements.compactMap(\.string) }

    subscript(_ key: String) -> Value? { members.last { $0.key == key }?.value }
}

// Texts of a value: spaced as the contract files have it, or without any space.
extension Value {
    var spaced: String {
        var text = ""
        append(to: &text, comma: ", ", colon: ": ")
        return text
    }

    var compact: String {
        var text = ""
        append(to: &text, comma: ",", colon: ":")
        return text
    }

    static func quoted(_ text: String) -> String {
        var writer = JSONWriter()
        writer.string(text)
        return writer.finish().text
    }

    private func append(to text: inout String, comma: String, colon: String) {
        switch self {
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                text += (index == 0 ? "" : comma) + Value.quoted(member.key) + colon
                member.value.append(to: &text, comma: comma, colon: colon)
            }
            text += "}"
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                text += index == 0 ? "" : comma
                element.append(to: &text, comma: comma, colon: colon)
            }
            text += "]"
        case .string(let string): text += Value.quoted(string)
        case .number(let digits): text += digits
        case .boolean(let flag): text += flag ? "true" : "false"
        case .null: text += "null"
        }
    }
}

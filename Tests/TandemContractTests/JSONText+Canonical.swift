import TandemJSON
import Testing

@testable import TandemContract

/// A JSON value out of a text that a test wrote.
func json(_ text: String) throws -> JSONText { try JSONText(checking: text) }

func operation(_ name: String) throws -> TandemContract.Operation { try #require(TandemContract.Operation.named(name)) }

/// The request that an operation makes of arguments.
func plan(_ name: String, _ arguments: String) throws -> Plan { try Plan(operation(name), json(arguments)) }

/// Why it makes none.
func refusal(_ name: String, _ arguments: String) throws -> Failure {
    try #require(throws: Failure.self) { _ = try plan(name, arguments) }
}

extension JSONText {
    /// One text for all that mean the same: members sorted, numbers and strings in one form.
    var canonical: String {
        switch kind {
        case .object:
            var last: [String: JSONText] = [:]
            for member in members { last[member.key] = member.value }
            let sorted = last.sorted { $0.key < $1.key }
            return "{" + sorted.map { "\($0.key.debugDescription):\($0.value.canonical)" }.joined(separator: ",") + "}"
        case .array: return "[" + elements.map(\.canonical).joined(separator: ",") + "]"
        case .string: return (string ?? "").debugDescription
        case .number: return integer.map { String($0) } ?? number.map { String($0) } ?? text
        case .boolean, .null: return text
        }
    }
}

/// The defaults of a client that translates nothing.
var strict: CallOptions {
    var options = CallOptions()
    options.isStrict = true
    return options
}

/// What can be bound to a parameter of a statement.
package enum Value: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])

    package static func text(_ value: String?) -> Value { value.map { .text($0) } ?? .null }
    package static func integer(_ value: Int64?) -> Value { value.map { .integer($0) } ?? .null }
    package static func integer(_ value: Bool) -> Value { .integer(value ? 1 : 0) }
    package static func real(_ value: Double?) -> Value { value.map { .real($0) } ?? .null }
    package static func blob(_ value: [UInt8]?) -> Value { value.map { .blob($0) } ?? .null }
}

extension Value: ExpressibleByIntegerLiteral {
    package init(integerLiteral value: Int64) { self = .integer(value) }
}

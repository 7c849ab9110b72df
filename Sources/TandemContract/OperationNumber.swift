/// Where an operation stands in the generated table.
package struct OperationNumber: Hashable, Sendable {
    package let rawValue: Int

    package init(_ rawValue: Int) { self.rawValue = rawValue }
}

package import TandemJSON

/// One operation with its arguments in the form that the wire has: what every backend answers.
package struct Request: Sendable {
    package struct Field: Sendable, Equatable {
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package let operation: OperationNumber
    /// The path's parameters, not percent-encoded.
    package var path: [Field]
    package var query: [Field]
    package var headers: [Field]
    package var body: JSONText?

    package init(
        _ operation: OperationNumber,
        path: [Field] = [],
        query: [Field] = [],
        headers: [Field] = [],
        body: JSONText? = nil
    ) {
        self.operation = operation
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// A path parameter; empty where the route has none of that name.
    package func path(_ name: String) -> String { path.first { $0.name == name }?.value ?? "" }

    package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// A header's value; names are given in lower case.
    package func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name }?.value }
}

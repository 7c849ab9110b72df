package import TandemJSON

/// A function that a model may call.
package struct ModelTool: Equatable, Sendable {
    package let name: String
    package let description: String
    /// A JSON schema of an object.
    package let parameters: JSONText

    package init(name: String, description: String, parameters: JSONText) {
        self.name = name
        self.description = description
        self.parameters = parameters
    }
}

/// A call that a model has made.
package struct ModelToolCall: Equatable, Sendable {
    /// Empty where the server gave none.
    package let id: String
    package let name: String
    /// As the model wrote them: a JSON object, unless it made a mistake.
    package let arguments: String

    package init(id: String, name: String, arguments: String) {
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A piece of a call that is being written.
package struct ModelToolDelta: Equatable, Sendable {
    /// The call's place among those of the answer.
    package let index: Int
    /// What is known so far of the call's id and name; empty where nothing is.
    package let id: String
    package let name: String
    /// The new piece of the arguments, which may be empty.
    package let arguments: String

    package init(index: Int, id: String, name: String, arguments: String) {
        self.index = index
        self.id = id
        self.name = name
        self.arguments = arguments
    }
}

/// A language model that answers conversations.
package protocol Model: Sendable {
    /// Begins an answer and returns at once.
    ///
    /// `deliver` gets the events in order, once for each read from the network with all that it brought, on the io
    /// thread with no lock held; the last event of the last delivery is `.finished` or `.failed`, and there is only one.
    /// (When the io thread has already ended, the failure is delivered on the caller's thread, before `start` returns.)
    func start(_ request: ModelRequest, deliver: @escaping @Sendable ([ModelEvent]) -> Void) -> any ModelCall
}

/// An answer that is under way.
package protocol ModelCall: Sendable {
    /// Ends the answer with a failure of the category `cancelled`; nothing when it has ended. Any thread may call it.
    func cancel()
}

/// One message of a conversation.
package struct ModelMessage: Equatable, Sendable {
    package enum Role: String, Sendable { case system, user, assistant }

    package let role: Role
    package let content: String

    package init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }
}

/// What a model is asked.
package struct ModelRequest: Equatable, Sendable {
    package var model: String
    package var messages: [ModelMessage]
    package var temperature: Double?
    package var topP: Double?
    package var maxTokens: Int?

    package init(
        model: String,
        messages: [ModelMessage],
        temperature: Double? = nil,
        topP: Double? = nil,
        maxTokens: Int? = nil
    ) {
        self.model = model
        self.messages = messages
        self.temperature = temperature
        self.topP = topP
        self.maxTokens = maxTokens
    }
}

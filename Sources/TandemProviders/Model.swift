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
    package enum Role: String, Sendable { case system, user, assistant, tool }

    package let role: Role
    package let content: String
    /// What an assistant's message calls.
    package var calls: [ModelToolCall] = []
    /// Whose result a tool's message is.
    package var callID: String?

    package init(_ role: Role, _ content: String) {
        self.role = role
        self.content = content
    }

    package init(_ content: String, calling calls: [ModelToolCall]) {
        self.init(.assistant, content)
        self.calls = calls
    }

    package init(_ content: String, resultOf callID: String) {
        self.init(.tool, content)
        self.callID = callID
    }

    /// How long it is for a model, in Unicode scalars.
    package var length: Int {
        calls.reduce(content.unicodeScalars.count) {
            $0 + $1.name.unicodeScalars.count + $1.arguments.unicodeScalars.count
        }
    }
}

/// What a model is asked.
package struct ModelRequest: Equatable, Sendable {
    package var model: String
    package var messages: [ModelMessage]
    package var temperature: Double?
    package var topP: Double?
    package var maxTokens: Int?
    package var tools: [ModelTool] = []
    /// Whether the answer has to be a call of one of the tools.
    package var mustCall = false

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

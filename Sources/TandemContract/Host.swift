package import TandemJSON

/// What the host of the library offers an engine, and the way to ask it; the client is one.
package protocol Host: Sendable {
    /// What is offered now: an engine looks before each call of a model.
    var offers: HostOffers { get }

    /// Asks the host and returns at once; the receiver hears on any thread, and exactly one end. nil: nobody offers that
    /// (any more), and the receiver hears nothing.
    func ask(_ call: HostCall, _ receiver: any HostReceiver) -> UInt64?

    /// The reply is not wanted any more: the host is told why, and the receiver hears nothing after this has returned.
    func cancel(_ call: UInt64, reason: String)
}

/// A host that offers nothing.
package struct NoHost: Host {
    package init() {}

    package var offers: HostOffers { HostOffers() }

    package func ask(_ call: HostCall, _ receiver: any HostReceiver) -> UInt64? { nil }

    package func cancel(_ call: UInt64, reason: String) {}
}

/// Where the parts of a host's reply go.
package protocol HostReceiver: AnyObject, Sendable {
    /// A piece of a model's answer, or a tool's progress.
    func take(chunk: JSONText)

    /// The X of `{"ok": X}`, or why there is none: the host's own word (`host_failed`), or `host_timeout`.
    func end(_ reply: Result<JSONText, Failure>)
}

/// Everything that is offered at one moment.
package struct HostOffers: Sendable, Equatable {
    package var tools: [HostTool] = []
    package var models: [HostModel] = []
    package var answersPermissions = false
    package var answersQuestions = false

    package init() {}
}

/// A function of the host that a model may call.
package struct HostTool: Sendable, Equatable {
    package let name: String
    package let description: String
    /// A JSON schema of an object.
    package let parameters: JSONText
    /// Whether each call waits for a permission.
    package let asks: Bool
    package let timeoutMilliseconds: Int64

    package init(name: String, description: String, parameters: JSONText, asks: Bool, timeoutMilliseconds: Int64) {
        self.name = name
        self.description = description
        self.parameters = parameters
        self.asks = asks
        self.timeoutMilliseconds = timeoutMilliseconds
    }
}

/// A model that the host runs; its provider is `host`.
package struct HostModel: Sendable, Equatable {
    package let name: String
    package let contextTokens: Int64?
    /// Whether it may be offered tools.
    package let takesTools: Bool

    package init(name: String, contextTokens: Int64?, takesTools: Bool) {
        self.name = name
        self.contextTokens = contextTokens
        self.takesTools = takesTools
    }
}

/// One question to the host (tandem.h, tandem_provide).
package struct HostCall: Sendable {
    package enum Kind: String, Sendable { case tool, model, permission, question }

    package let kind: Kind
    /// The tool's or the model's; the tool that asks, for a permission; empty for a question.
    package let name: String
    package let sessionID: String?
    package let runID: String?
    /// The tool's arguments, an OpenAI chat request, a permission request, or questions.
    package let input: JSONText
    /// The operation that the call belongs to, where the caller knows; else the client finds it by the session.
    package var operation: UInt64?
    /// In place of the offer's own.
    package var timeoutMilliseconds: Int64?

    package init(_ kind: Kind, name: String, sessionID: String?, runID: String?, input: JSONText) {
        self.kind = kind
        self.name = name
        self.sessionID = sessionID
        self.runID = runID
        self.input = input
    }
}

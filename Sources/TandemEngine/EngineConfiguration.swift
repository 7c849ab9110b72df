package import TandemContract
package import TandemJSON
package import TandemProviders
package import TandemSystem

/// What an embedded engine is opened with: nothing else reaches it, no environment and no file of the user's.
package struct EngineConfiguration: Sendable {
    package enum State: Sendable, Equatable {
        /// Gone when the engine is closed.
        case memory
        /// A directory, made when it is missing.
        case directory(String)
    }

    package enum Durability: Sendable, Equatable {
        /// What was answered survives the death of the process.
        case process
        /// It survives a loss of power, too.
        case power
    }

    /// What the caller read from the environment, once.
    package struct Environment: Sendable {
        package var openAIKey: String?
        package var openAIBaseURL: String?

        package init(openAIKey: String? = nil, openAIBaseURL: String? = nil) {
            self.openAIKey = openAIKey
            self.openAIBaseURL = openAIBaseURL
        }
    }

    package typealias Log = @Sendable (_ level: Int32, _ message: String, _ fields: JSONText) -> Void

    package var state = State.memory
    /// The directory that sessions work in unless they name another.
    package var workspace: String?
    package var durability = Durability.process
    package var clock: any Clock = SystemClock()
    package var random = Random()
    /// Whether a model server may be looked for on loopback, at the first prompt.
    package var discover = true
    package var environment = Environment()
    /// `{id: {"url", "api_key", "default_model"}}`.
    package var providers: JSONText?
    package var defaultProvider: String?
    package var defaultModel: String?
    package var connectTimeoutMilliseconds: Int64 = 5_000
    package var idleTimeoutMilliseconds: Int64 = 90_000
    /// Where on loopback a model server is looked for.
    package var discoveryCandidates = LoopbackDiscovery.usual
    package var log: Log?
    /// Whose tools and models there are beside the engine's own.
    package var host: any Host = NoHost()
    /// Models of the caller's own instead of those that speak over the network; for tests.
    package var makeModel: (@Sendable (_ providerID: String) -> any Model)?
    /// A full disk, for tests.
    package var maximumPages: Int64?

    package init() {}

    /// Tells databases in memory of one process apart.
    var memoryName: String { Random().uuid() }
}

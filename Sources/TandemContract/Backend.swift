package import TandemJSON
package import TandemSystem

/// An engine, wherever it runs.
package protocol Backend: Sendable {
    /// Answers on the calling thread; blocks until the call's deadline at the latest.
    func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure>

    /// Begins at once and never blocks: touches memory only. Events in order, last of all `end`.
    func start(_ request: Request, _ call: Call, into sink: any Sink)

    /// Whether a prompt without a model needs the engine's configured default beside it.
    var needsDefaultModel: Bool { get }

    /// Whether a request may have to be sent again, so that one that must not be done twice needs a key.
    var repeatsRequests: Bool { get }

    /// Whether a run that asks its user something waits for the answer; else the answer is sent as the next prompt.
    var questionsWait: Bool { get }

    /// Whether its streams say themselves what they lost and got back (`stream.resynced`).
    var tellsResyncs: Bool { get }

    /// Whether its runs may use tools and models of the host's.
    var runsHostTools: Bool { get }

    /// Its part of `tandem_stats`.
    func writeStats(to writer: inout JSONWriter)

    /// Ends everything; true when all of its threads are gone.
    func close(by deadline: Deadline) -> Bool
}

extension Backend {
    package var needsDefaultModel: Bool { false }
    package var repeatsRequests: Bool { true }
    package var questionsWait: Bool { false }
    package var tellsResyncs: Bool { false }
    package var runsHostTools: Bool { false }

    package func writeStats(to writer: inout JSONWriter) {}
}

/// Where the pieces of a started operation go.
package protocol Sink: AnyObject, Sendable {
    /// Takes events in order and says how many; fewer than given: the consumer is behind and the rest comes again after
    /// `Call.resume()`. Never blocks and never calls out.
    func take(_ events: ArraySlice<EngineEvent>) -> Int

    /// The operation is over. A stream that ended by itself has no reply.
    func end(_ outcome: Result<Reply?, Failure>)
}

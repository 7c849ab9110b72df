package import TandemContract
package import TandemSystem

/// The engine inside the process.
package final class Engine: Backend {
    /// The operations that this engine answers; all others are `not_supported`.
    package static var supported: Set<OperationNumber> { [] }

    private init() {}

    /// Opens the state and starts the engine's thread; transfers run on `loop`, which outlives the engine.
    package static func open(_ configuration: EngineConfiguration, loop: EventLoop) throws(Failure) -> Engine {
        throw Failure(.notSupported, "the embedded engine is not there yet")
    }

    package func answer(_ request: Request, _ call: Call) -> Result<Reply, Failure> {
        .failure(Failure(.notSupported, "not there yet"))
    }

    package func start(_ request: Request, _ call: Call, into sink: any Sink) {}

    package func close(by deadline: Deadline) -> Bool { true }
}

internal import TandemContract

/// A sink of two closures.
final class EventSink: Sink {
    private let receive: @Sendable (ArraySlice<EngineEvent>) -> Int
    private let finish: @Sendable (Result<Reply?, Failure>) -> Void

    init(
        take: @escaping @Sendable (ArraySlice<EngineEvent>) -> Int = { $0.count },
        end: @escaping @Sendable (Result<Reply?, Failure>) -> Void
    ) {
        receive = take
        finish = end
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int { receive(events) }

    func end(_ outcome: Result<Reply?, Failure>) { finish(outcome) }
}

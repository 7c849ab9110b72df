internal import TandemContract

/// One frame of a stream: an event, or what is left of one that the engine has cut.
enum StreamFrame: Equatable, Sendable {
    case event(EngineEvent)
    case cut(CutFrame)

    var event: EngineEvent? { if case .event(let event) = self { event } else { nil } }
}

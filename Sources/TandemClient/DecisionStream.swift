internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// One stream of all events.
final class DecisionStream: Sink {
    let call = Call(deadline: .never)
    private let loop: EventLoop
    private let follower: WeakFollower

    init(_ follower: DecisionFollower, _ loop: EventLoop) {
        self.follower = WeakFollower(follower)
        self.loop = loop
    }

    func take(_ events: ArraySlice<EngineEvent>) -> Int {
        loop.post { [self] in for event in events { follower.value?.heard(event, from: self) } }
        return events.count
    }

    func end(_ outcome: Result<Reply?, Failure>) {
        call.finish()
        loop.post { [self] in follower.value?.lost(self) }
    }
}

struct WeakFollower: Sendable {
    weak let value: DecisionFollower?

    init(_ value: DecisionFollower) { self.value = value }
}

/// Hears what the host decides about one request.
final class DecisionReceiver: HostReceiver {
    private let follower: WeakFollower
    private let request: OpenDecisions.Request

    init(_ follower: DecisionFollower, _ request: OpenDecisions.Request) {
        self.follower = WeakFollower(follower)
        self.request = request
    }

    func take(chunk: JSONText) {}

    func end(_ reply: Result<JSONText, Failure>) { follower.value?.decided(request, reply) }
}

internal import TandemContract
internal import TandemSystem

// The events of a call that has an answer of its own: prompt_sync, whose run they are of.
extension Subscription {
    /// Takes a stream's events on to a sink that is ended elsewhere.
    final class Relay: Sink {
        private let sink: any Sink

        init(_ sink: any Sink) { self.sink = sink }

        func take(_ events: ArraySlice<EngineEvent>) -> Int {
            // It is a call, not a stream: that a connection is open is no event of it.
            let rest = events.drop { EventFrame.isOpening($0) }
            return events.count - rest.count + (rest.isEmpty ? 0 : sink.take(rest))
        }

        func end(_ outcome: Result<Reply?, Failure>) {}
    }

    /// How long the end of a run whose answer is there may take to come.
    private static let endMilliseconds: Int64 = 2_000

    /// Begins to hand on what happens in a session.
    func watch(_ session: String, _ call: Call, _ sink: any Sink) -> Int {
        let id = add(StreamFilter(sessionID: session), Relay(sink))
        let loop = remote.loop
        call.whenResumed { [weak self] in
            let subscription = self
            loop.post { subscription?.resume(id) }
        }
        return id
    }

    /// Hands nothing on any more, once the session's run has been seen to its end; then calls back.
    func unwatch(_ id: Int, awaitsEnd: Bool, _ done: @escaping () -> Void) {
        guard awaitsEnd, sinks[id] != nil else {
            end(id, .success(nil))
            return done()
        }
        let timer = remote.loop.after(Deadline(afterMilliseconds: Subscription.endMilliseconds)) { [weak self] in
            self?.stopComparing(id)
            self?.leave(id)
        }
        leaving[id] = { [weak self] in
            self?.remote.loop.cancelTimer(timer)
            self?.end(id, .success(nil))
            done()
        }
        leaveWhatIsOver()
    }

    func leaveWhatIsOver() {
        for id in leaving.keys where feed.followers[id]?.hasSeenEnd ?? true { leave(id) }
    }

    private func leave(_ id: Int) { leaving.removeValue(forKey: id)?() }
}

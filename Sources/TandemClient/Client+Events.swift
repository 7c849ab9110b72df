internal import TandemContract
internal import TandemJSON
internal import TandemSystem

// Events on their way into an operation's queue.
extension Client {
    /// Queues what one engine event gives, all or none; ends a stream that has given as much as was asked for.
    ///
    /// Nobody is woken: `tell` has to follow.
    func put(_ items: [Item], into id: UInt64) -> Mailbox.Acceptance {
        let (acceptance, burst, isEnough) = state.withLock { state in
            var acceptance = Mailbox.Acceptance.taken
            for (index, item) in items.enumerated() where acceptance == .taken {
                acceptance = state.mailbox.put(item, into: id, isForced: index > 0)
                if state.mailbox.hasEnough(id) { acceptance = .gone }
            }
            return (acceptance, state.mailbox.takeNewBurst(id), state.mailbox.hasEnough(id))
        }
        if isEnough { endStream(id) }
        if let burst { watch(burst, of: id) }
        return acceptance
    }

    /// Tells who waits what was put.
    func tell() { change { _ in } }

    /// Whether the operation's events are shown to nobody and no end depends on their number.
    func throwsAway(_ id: UInt64) -> Bool { state.withLock { $0.mailbox.throwsAway(id) } }

    /// Counts events that were not even made.
    func threwAway(_ count: Int, of id: UInt64) { state.withLock { $0.mailbox.threwAway(count, of: id) } }

    /// Lets text that waits for more go when its time is over.
    private func watch(_ burst: Int, of id: UInt64) {
        let milliseconds = state.withLock { $0.running[id]?.call.options.coalesceMilliseconds } ?? 0
        loop.after(Deadline(afterMilliseconds: milliseconds)) { [weak self] in
            guard let self else { return }
            let isEnough = change { state in
                state.mailbox.endBurst(burst, of: id)
                return state.mailbox.hasEnough(id)
            }
            if isEnough { endStream(id) }
        }
    }

    /// Ends a stream that has given what was asked for.
    private func endStream(_ id: UInt64) {
        let call = state.withLock { $0.running[id]?.call }
        if end(id, .success(Client.streamEnd(byItself: false))) { call?.cancel() }
    }

    static func streamEnd(byItself: Bool) -> JSONText { JSONWriter.object { $0.member("ended", byItself) } }
}

extension Request {
    /// The stream of one run's events.
    static func events(ofSession session: String, run: String) -> Request? {
        guard let operation = Operation.named("engine.stream") else { return nil }
        return Request(operation.number, query: [.init("sessionID", session), .init("runID", run)])
    }

    /// The session that it names.
    var session: String? { query("sessionID") ?? path.first { $0.name == "session_id" }?.value }
    /// The run that it names.
    var run: String? { query("runID") ?? path.first { $0.name == "run_id" }?.value }
}

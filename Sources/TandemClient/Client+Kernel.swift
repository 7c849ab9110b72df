internal import TandemContract
package import TandemJSON
internal import TandemSystem

// What the kernel's functions do that run no host callback.
extension Client {
    package enum CancelResult: Sendable { case asked, over, unknown }

    package func cancel(_ id: UInt64) -> CancelResult {
        guard isOwn(id) else { return .unknown }
        return stop(id, as: .cancelled) ? .asked : .over
    }

    package func cancelAll() {
        for id in runningIDs() { _ = stop(id, as: .cancelled) }
    }

    /// What is under way, the newest first: ended in this order, nothing that waits is begun because others make room.
    func runningIDs() -> [UInt64] { state.withLock { Array($0.running.keys) }.sorted(by: >) }

    /// Holds an operation's events back, or lets them come again.
    package func pause(_ id: UInt64, _ isPaused: Bool) -> CancelResult {
        guard isOwn(id) else { return .unknown }
        guard change({ $0.mailbox.pause(id, isPaused) }) else { return .over }
        if !isPaused { resumeIfDrained(id) }
        return .asked
    }

    /// The same for all operations there are now; a wait has lifted the pause of its own.
    package func pauseAll(_ isPaused: Bool) {
        let ids = state.withLock { state in
            state.mailbox.operations.filter { $0.key != 0 && !(isPaused && $0.value.isOwned) }.keys.sorted()
        }
        for id in ids { _ = pause(id, isPaused) }
    }

    /// Tells a source that held back to go on, once its operation's queue is empty.
    func resumeIfDrained(_ id: UInt64) {
        let call = state.withLock { state in
            state.mailbox.takeResumable(id) ? state.running[id]?.call : nil
        }
        call?.resume()
    }

    /// Puts a handler in force; gives the old one where nothing runs it.
    package func setHandler(_ handler: HostFunction?) -> HostFunction? { change { $0.mailbox.setHandler(handler) } }

    /// Puts a wakeup function in force and gives the old one, when no thread runs it any more.
    package func setWakeup(_ wakeup: HostFunction?) -> HostFunction? {
        while true {
            let epoch = host.signal.epoch
            let old: HostFunction?? = state.withLock { state in
                guard state.wakeup?.running ?? 0 == 0 else { return .none }
                defer { state.wakeup = wakeup.map { Wakeup(host: $0) } }
                return .some(state.wakeup?.host)
            }
            if let old {
                change { $0.isArmed = true }
                return old
            }
            host.signal.wait(whileEpoch: epoch, until: .never)
        }
    }

    /// The descriptor that is readable while a pump would deliver; made when first asked for.
    package func wakeupDescriptor() -> Int32 {
        let descriptor = change { state in
            if state.descriptor == nil, !state.isClosing { state.descriptor = WakeupDescriptor() }
            return state.descriptor?.raw ?? -1
        }
        return descriptor < 0 ? -1 : loop.pollable(with: descriptor) ?? descriptor
    }

    /// A record of the library's log, as an event of operation 0 where the host asked for that.
    package func log(_ level: Int32, _ message: String, _ fields: JSONText) {
        guard level <= options.logLevel else { return }
        let properties = JSONWriter.object { writer in
            writer.member("level", Int64(level))
            writer.member("message", message)
            writer.member("fields", fields)
        }
        let context = EventContext(sessionID: nil, runID: nil, atMilliseconds: clock.milliseconds)
        change { state in
            let item = Item.event(EventName.log, tag: nil, context, "properties", properties)
            if state.mailbox.put(item, into: 0) != .taken { state.dropped += 1 }
        }
    }

    package func stats() -> JSONText {
        // Numbers, not a copy of the state: that would make the next change copy all of it.
        let numbers: [(String, Int64)] = state.withLock { state in
            [
                ("operations", Int64(state.mailbox.submitted)),
                ("operations_running", Int64(state.running.count)),
                ("calls", state.started),
                ("events_delivered", state.mailbox.lastSeq),
                ("events_queued", Int64(state.mailbox.queued)),
                ("events_discarded", state.mailbox.discarded),
                ("events_folded", state.mailbox.folded),
                ("log_records_dropped", state.dropped),
                ("results_bytes", Int64(state.mailbox.resultBytes)),
                ("host_calls_pending", Int64(state.hosts.pending.count)),
            ]
        }
        return JSONWriter.object { writer in
            for (name, number) in numbers { writer.member(name, number) }
            backend.writeStats(to: &writer)
        }
    }
}

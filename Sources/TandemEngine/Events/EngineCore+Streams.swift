internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

/// Streams: each goes on from the log at its own pace and holds up nobody.
extension EngineCore {
    private static let page: Int64 = 500
    /// So much is read at once: a short run is over before a worker would have begun.
    private static let firstPage: Int64 = 64

    func newSubscriptionID() -> Subscriptions.ID {
        issuedSubscriptions += 1
        return issuedSubscriptions
    }

    /// Begins a stream: of one run from its first event on, otherwise from now on.
    func subscribe(_ filter: EventFilter, _ ticket: Ticket, _ call: Call) {
        let work = Work { (batch) in
            let core = batch.core
            let seq = batch.upcomingSeq - 1
            // Read here, not after the commit: the order of readings must not depend on what shares a batch.
            let now = batch.context.clock.milliseconds
            batch.first { core.open(filter, ticket, call, from: seq, at: now) }
        }
        if !post(work) { ticket.finish(.failure(.engineClosed)) }
    }

    private func open(_ filter: EventFilter, _ ticket: Ticket, _ call: Call, from seq: Int64, at now: Int64) {
        if ticket.isOver { return }
        let id = newSubscriptionID()
        let isOfRun = filter.runID != nil
        let subscription = Subscription(
            filter,
            ticket,
            .live,
            lastSeq: isOfRun ? 0 : seq,
            opening: EngineCore.opening(now)
        )
        subscriptions.add(id, subscription)
        call.whenResumed { [weak self] in self?.resume(id) }
        call.whenCancelled { [weak self] in
            self?.post(Work { batch in batch.then { batch.core.unsubscribe(id, .streamCancelled) } })
        }
        if isOfRun { subscription.state = .waiting }
        if giveOpening(subscription), isOfRun { readFirst(id, subscription) }
    }

    /// A run's beginning is short and read at once; a longer log is a worker's business.
    private func readFirst(_ id: Subscriptions.ID, _ subscription: Subscription) {
        guard let sink = subscription.ticket.sink else { return }
        subscription.state = .reading
        subscription.hasRoom = false
        let filter = subscription.filter
        let (seq, limit) = (subscription.lastSeq, EngineCore.firstPage)
        let result = handOver(filter, after: seq, to: sink, limit) { () throws(Halt) in
            try stored { () throws(StoreError) in try EventLog.page(writer, filter, after: seq, limit: limit) }
        }
        finished(id, result)
    }

    private static func opening(_ milliseconds: Int64) -> [EngineEvent] {
        [
            EngineEvent(type: EngineEventName.serverConnected, properties: .emptyObject),
            EngineEvent(
                type: EngineEventName.engineLifecycleReady,
                properties: JSONWriter.object { writer in
                    writer.member("status", "ready")
                    writer.member("transport", "sse")
                    writer.member("timestamp_ms", milliseconds)
                }
            ),
        ]
    }

    /// False when the consumer did not take all of it.
    private func giveOpening(_ subscription: Subscription) -> Bool {
        guard let sink = subscription.ticket.sink, !subscription.opening.isEmpty else { return true }
        subscription.opening.removeFirst(min(sink.take(subscription.opening[...]), subscription.opening.count))
        if !subscription.opening.isEmpty { subscription.state = .waiting }
        return subscription.opening.isEmpty
    }

    /// The consumer has room again.
    func resume(_ id: Subscriptions.ID) {
        post(
            Work { batch in
                batch.then {
                    guard let subscription = batch.core.subscriptions[id] else { return }
                    switch subscription.state {
                    case .live: break
                    case .reading: subscription.hasRoom = true
                    case .waiting:
                        if batch.core.giveOpening(subscription) { batch.core.read(id, subscription) }
                    }
                }
            }
        )
    }

    /// Events that reached the log late are read by those who have not had them.
    func catchUp(on events: [LoggedEvent]) {
        for id in subscriptions.ids {
            guard let subscription = subscriptions[id], case .live = subscription.state else { continue }
            let isBehind = events.contains { subscription.filter.takes($0) && $0.seq > subscription.lastSeq }
            if isBehind { read(id, subscription) }
        }
    }

    /// Ends a stream that its caller no longer wants, after what a worker is handing over.
    func unsubscribe(_ id: Subscriptions.ID, _ failure: Failure) {
        guard let subscription = subscriptions[id] else { return }
        subscription.failure = failure
        if case .reading = subscription.state {
            subscription.isCancelled = true
        } else {
            subscriptions.end(id, .failure(failure))
        }
    }

    /// Lets a worker hand over the next events of the log.
    private func read(_ id: Subscriptions.ID, _ subscription: Subscription) {
        subscription.state = .reading
        subscription.hasRoom = false
        let (filter, seq) = (subscription.filter, subscription.lastSeq)
        guard let sink = subscription.ticket.sink else { return }
        let read = { @Sendable [self] in
            let result = handOver(filter, after: seq, to: sink, EngineCore.page) { () throws(Halt) in
                try readers.read { (store) throws(Halt) in
                    try stored { () throws(StoreError) in
                        try EventLog.page(store, filter, after: seq, limit: EngineCore.page)
                    }
                }
            }
            post(Work { batch in batch.then { batch.core.finished(id, result) } })
        }
        pool.post(read) { [self] refusal in
            post(Work { batch in batch.then { batch.core.finished(id, .failed(Failure(refusal))) } })
        }
    }

    private enum HandOver: Sendable {
        /// How far the consumer is now, and whether it took all and the log has no more.
        case given(seq: Int64, tookAll: Bool, isLast: Bool, isEnd: Bool)
        case unknownRun
        case failed(Failure)
    }

    private func handOver(
        _ filter: EventFilter,
        after seq: Int64,
        to sink: any Sink,
        _ limit: Int64,
        reading: () throws(Halt) -> [LoggedEvent]?
    ) -> HandOver {
        do throws(Halt) {
            guard let page = try reading() else { return .unknownRun }
            let events = page.map(\.event)
            let taken = min(sink.take(events[...]), events.count)
            let last = events.prefix(taken).last
            return .given(
                seq: last?.envelope?.seq ?? seq,
                tookAll: taken == events.count,
                isLast: events.count < limit,
                isEnd: last.map { filter.ends(with: $0) } ?? false
            )
        } catch {
            switch error {
            case .failure(let failure): return .failed(failure)
            case .store(let error): return .failed(Failure(error))
            case .reply: return .failed(Failure(.internalError, "a stream got a reply"))
            }
        }
    }

    private func finished(_ id: Subscriptions.ID, _ result: HandOver) {
        guard let subscription = subscriptions[id] else { return }
        switch result {
        case .unknownRun:
            subscriptions.end(id, .failure(Failure(.notFound, "there is no such run")))
        case .failed(let failure): subscriptions.end(id, .failure(failure))
        case .given(let seq, let tookAll, let isLast, let isEnd):
            subscription.lastSeq = seq
            if isEnd || subscription.isCancelled { return subscriptions.end(id, subscription.outcome) }
            if !tookAll && !subscription.hasRoom {
                subscription.state = .waiting
            } else if tookAll && isLast && subscription.newestMissed <= seq {
                subscription.state = .live
            } else {
                // What was committed after the page was read is in the log by now.
                subscription.newestMissed = tookAll && isLast ? seq : subscription.newestMissed
                read(id, subscription)
            }
        }
    }
}

extension Failure {
    static let engineClosed = Failure(.closed, "the engine is closed")
    static let noThread = Failure(.limit, "the process may start no more threads")

    init(_ refusal: WorkPool.Refusal) {
        switch refusal {
        case .stopped: self = .engineClosed
        case .noThread: self = .noThread
        }
    }

    static let streamCancelled = Failure(.cancelled, "the stream was cancelled")
}

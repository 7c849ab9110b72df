internal import TandemContract

/// All streams, found by what they follow; touched on the engine's thread only.
final class Subscriptions {
    typealias ID = Int64

    private var all: [ID: Subscription] = [:]
    private var ofEverything: Set<ID> = []
    private var ofSession: [String: Set<ID>] = [:]
    private var ofRun: [String: Set<ID>] = [:]

    subscript(_ id: ID) -> Subscription? { all[id] }

    var ids: [ID] { all.keys.sorted() }

    func add(_ id: ID, _ subscription: Subscription) {
        all[id] = subscription
        if let runID = subscription.filter.runID {
            ofRun[runID, default: []].insert(id)
        } else if let sessionID = subscription.filter.sessionID {
            ofSession[sessionID, default: []].insert(id)
        } else {
            ofEverything.insert(id)
        }
    }

    /// Ends a stream; nothing comes after it.
    func end(_ id: ID, _ outcome: Ticket.Outcome) {
        guard let subscription = all.removeValue(forKey: id) else { return }
        if let runID = subscription.filter.runID {
            ofRun[runID]?.remove(id)
            if ofRun[runID]?.isEmpty == true { ofRun[runID] = nil }
        } else if let sessionID = subscription.filter.sessionID {
            ofSession[sessionID]?.remove(id)
            if ofSession[sessionID]?.isEmpty == true { ofSession[sessionID] = nil }
        } else {
            ofEverything.remove(id)
        }
        subscription.ticket.finish(outcome)
    }

    /// Hands committed events out, in groups that concern the same streams.
    func publish(_ events: [LoggedEvent]) {
        if all.isEmpty { return }
        var rest = events[...]
        while let first = rest.first {
            let group = rest.prefix { $0.sessionID == first.sessionID && $0.runID == first.runID }
            let ids = interested(in: first)
            if !ids.isEmpty {
                let plain = group.map(\.event)
                for id in ids { offer(plain, to: id) }
            }
            rest = rest[group.endIndex...]
        }
    }

    private func interested(in event: LoggedEvent) -> [ID] {
        var ids = Array(ofEverything)
        if let sessionID = event.sessionID, let found = ofSession[sessionID] { ids += found }
        if let runID = event.runID, let found = ofRun[runID] { ids += found }
        return ids
    }

    private func offer(_ events: [EngineEvent], to id: ID) {
        guard let subscription = all[id], let newest = events.last?.envelope?.seq else { return }
        guard case .live = subscription.state else {
            subscription.newestMissed = max(subscription.newestMissed, newest)
            return
        }
        let fresh = events.drop { ($0.envelope?.seq ?? 0) <= subscription.lastSeq }
        let taken = fresh.prefix(subscription.ticket.sink?.take(fresh) ?? fresh.count)
        if let last = taken.last {
            subscription.lastSeq = last.envelope?.seq ?? subscription.lastSeq
            if subscription.filter.ends(with: last) { return end(id, subscription.outcome) }
        }
        if taken.count < fresh.count {
            subscription.state = .waiting
            subscription.newestMissed = newest
        }
    }
}

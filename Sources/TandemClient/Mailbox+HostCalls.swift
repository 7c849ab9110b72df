internal import TandemJSON

// What the host is asked: queued with the events of an operation, but neither paused nor thrown away with them.
extension Mailbox {
    /// What belongs to no operation has a queue, too.
    mutating func openCommon() {
        if operations[0] == nil { open(0, tag: nil, callback: nil) }
    }

    /// Queues a host call or the end of one: with its operation's events where those are shown to somebody, else with
    /// what belongs to none.
    mutating func putCall(_ item: HostItem) {
        let queue = queue(of: item)
        guard var operation = operations[queue] else { return }
        releaseHeld(of: &operation, queue)
        append(Item(content: .host(item), context: nil), to: &operation, queue)
        operations[queue] = operation
    }

    private func queue(of item: HostItem) -> UInt64 {
        guard let operation = operations[item.operation], !operation.isOver else { return 0 }
        return operation.showsNothing && !item.hasFunction ? 0 : item.operation
    }

    /// Takes a call back that the host has not been shown; false where it has.
    mutating func removeCall(_ call: UInt64, of operation: UInt64) -> Bool {
        let isIt: (HostItem) -> Bool = { $0.call == call && $0.isCall }
        return removeItem(operation, where: isIt) || operation != 0 && removeItem(0, where: isIt)
    }

    /// Puts the function of a provider in force.
    mutating func setHostFunction(_ host: HostFunction, of provider: UInt64) {
        hostFunctions[provider] = Registration(host: host, number: 0)
    }

    /// Takes it back with all that is queued for it; gives it if it can be dropped at once.
    mutating func removeHostFunction(of provider: UInt64) -> HostFunction? {
        guard let registration = hostFunctions.removeValue(forKey: provider) else { return nil }
        for queue in operations.keys {
            while removeItem(queue, where: { $0.provider == provider && $0.hasFunction }) {}
        }
        if registration.running == 0 { return registration.host }
        retiredHostFunctions[provider] = registration
        return nil
    }

    func claim(of item: HostItem) -> Claim? {
        guard item.hasFunction else { return nil }
        return hostFunctions[item.provider].map { .provider($0.host, item.provider) }
    }

    /// Those that a waiter would show to nobody.
    func takeUnclaimedCalls(from operation: inout Operation) -> [HostItem] {
        var taken: [HostItem] = []
        while let place = operation.items.firstPlace(where: { $0.host.map { !$0.hasFunction } ?? false }),
            let item = operation.items.remove(at: place)
        {
            operation.bytes -= item.bytes
            if let host = item.host { taken.append(host) }
        }
        return taken
    }

    private mutating func removeItem(_ id: UInt64, where matches: (HostItem) -> Bool) -> Bool {
        guard var operation = operations[id],
            let place = operation.items.firstPlace(where: { $0.host.map(matches) ?? false })
        else { return false }
        let number = (0..<place).count { operation.isPaused ? operation.items[$0]?.host != nil : true }
        guard let item = operation.items.remove(at: place) else { return false }
        operation.bytes -= item.bytes
        if !operation.isOwned { removeTicket(number, of: &operation, id) }
        operations[id] = operation
        return true
    }

    /// Takes the ticket away that stands for the item of that number among those open to pump and next.
    private mutating func removeTicket(_ number: Int, of operation: inout Operation, _ id: UInt64) {
        if number < operation.parkedTickets {
            Mailbox.remove(number, id, operation.round, from: &parked)
            operation.parkedTickets -= 1
            parkedCount -= 1
        } else {
            Mailbox.remove(number - operation.parkedTickets, id, operation.round, from: &live)
            operation.liveTickets -= 1
            liveCount -= 1
        }
    }

    private static func remove(_ number: Int, _ id: UInt64, _ round: Int, from tickets: inout Queue<Ticket>) {
        var left = number
        let place = tickets.firstPlace { ticket in
            guard ticket.operation == id, ticket.round == round else { return false }
            left -= 1
            return left < 0
        }
        if let place { _ = tickets.remove(at: place) }
    }
}

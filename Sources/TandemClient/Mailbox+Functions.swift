// Host functions live as long as a call of them runs.
extension Mailbox {
    mutating func began(_ claim: Claim, _ id: UInt64) {
        switch claim {
        case .own: running[id, default: 0] += 1
        case .handler: handler?.running += 1
        case .provider(_, let provider): hostFunctions[provider]?.running += 1
        }
    }

    /// A callback returned; gives the function that is to be dropped now, if any.
    mutating func ended(_ claim: Claim, _ id: UInt64) -> HostFunction? {
        switch claim {
        case .own:
            let left = running[id, default: 1] - 1
            running[id] = left > 0 ? left : nil
            return left > 0 ? nil : retiring.removeValue(forKey: id)
        case .handler(_, let number):
            if handler?.number == number {
                handler?.running -= 1
                return nil
            }
            guard let index = retiredHandlers.firstIndex(where: { $0.number == number }) else { return nil }
            retiredHandlers[index].running -= 1
            return retiredHandlers[index].running > 0 ? nil : retiredHandlers.remove(at: index).host
        case .provider(let host, let provider):
            hostFunctions[provider]?.running -= 1
            guard var retired = retiredHostFunctions[provider] else { return nil }
            retired.running -= 1
            retiredHostFunctions[provider] = retired.running > 0 ? retired : nil
            return retired.running > 0 ? nil : host
        }
    }

    /// Puts another handler in force; gives the old one if it can be dropped at once.
    mutating func setHandler(_ host: HostFunction?) -> HostFunction? {
        let old = handler
        handlerCount += 1
        handler = host.map { Registration(host: $0, number: handlerCount) }
        if host != nil { unpark() }
        guard let old else { return nil }
        if old.running == 0 { return old.host }
        retiredHandlers.append(old)
        return nil
    }

    /// Callbacks that run on some thread.
    var runningCallbacks: Int {
        running.values.reduce(0, +) + (handler?.running ?? 0) + retiredHandlers.reduce(0) { $0 + $1.running }
            + hostFunctions.values.reduce(0) { $0 + $1.running }
            + retiredHostFunctions.values.reduce(0) { $0 + $1.running }
    }
}

package import TandemHTTP
internal import TandemJSON
internal import TandemSystem

/// A model server that was found on this machine.
package struct LoopbackServer: Equatable, Sendable {
    package let provider: String
    package let baseURL: String
    /// The first model that it lists and that can answer.
    package let model: String
}

/// Looks for model servers on loopback, at the ports where they usually are.
package enum LoopbackDiscovery {
    package struct Candidate: Sendable {
        package let provider: String
        package let port: UInt16

        package init(provider: String, port: UInt16) {
            self.provider = provider
            self.port = port
        }
    }

    /// In the order of preference.
    package static let usual = [
        Candidate(provider: "llama_cpp", port: 8080), Candidate(provider: "ollama", port: 11434),
    ]

    private static let connectMilliseconds: Int64 = 300
    private static let totalMilliseconds: Int64 = 1_500
    private static let replyLimit = 4 * 1024 * 1024

    /// Asks all candidates at once and calls `found` once, on the io thread.
    ///
    /// It is called as soon as one has answered and no better one can.
    package static func probe(
        _ transfers: TransferLoop,
        _ candidates: [Candidate] = usual,
        found: @escaping @Sendable (LoopbackServer?) -> Void
    ) {
        guard !candidates.isEmpty else { return found(nil) }
        let race = Race(count: candidates.count, found)
        for (place, candidate) in candidates.enumerated() {
            let base = "http://127.0.0.1:\(candidate.port)/v1"
            var request = HTTPRequest("GET", base + "/models")
            request.connectTimeoutMilliseconds = connectMilliseconds
            request.totalTimeoutMilliseconds = totalMilliseconds
            request.responseLimit = replyLimit
            let probe = Probe { body in
                let model = body.flatMap(firstModel)
                race.settle(place, model.map { LoopbackServer(provider: candidate.provider, baseURL: base, model: $0) })
            }
            transfers.start(request, probe)
        }
    }

    /// The first model of a list that is not made for embeddings only, going by its name.
    static func firstModel(in body: [UInt8]) -> String? {
        guard let reply = try? JSONText(checking: body) else { return nil }
        let ids = (reply["data"]?.elements ?? []).compactMap { $0["id"]?.string }.filter { !$0.isEmpty }
        return ids.first { !$0.lowercased().contains(text: "embed") } ?? ids.first
    }
}

/// The answers so far; whoever makes the outcome certain reports it.
private final class Race: Sendable {
    private enum Entry {
        case open
        case settled(LoopbackServer?)
    }

    private enum Outcome {
        case open
        case decided(LoopbackServer?)
    }

    private let entries: Lock<[Entry]>
    private let found: @Sendable (LoopbackServer?) -> Void

    init(count: Int, _ found: @escaping @Sendable (LoopbackServer?) -> Void) {
        entries = Lock(Array(repeating: .open, count: count))
        self.found = found
    }

    func settle(_ place: Int, _ server: LoopbackServer?) {
        let outcome = entries.withLock { entries -> Outcome in
            // Emptied once the outcome is known.
            guard entries.indices.contains(place) else { return .open }
            entries[place] = .settled(server)
            let outcome = Race.outcome(of: entries)
            if case .decided = outcome { entries = [] }
            return outcome
        }
        if case .decided(let server) = outcome { found(server) }
    }

    /// Open while a better candidate may still answer.
    private static func outcome(of entries: [Entry]) -> Outcome {
        for entry in entries {
            switch entry {
            case .open: return .open
            case .settled(let server?): return .decided(server)
            case .settled(nil): continue
            }
        }
        return .decided(nil)
    }
}

/// Collects one reply; its state is touched on the io thread only.
private final class Probe: TransferReceiver, @unchecked Sendable {
    private var body: [UInt8] = []
    private var isGood = false
    private let done: @Sendable ([UInt8]?) -> Void

    init(_ done: @escaping @Sendable ([UInt8]?) -> Void) { self.done = done }

    func head(_ head: ResponseHead) -> Bool {
        isGood = head.status == 200
        return isGood
    }

    func bytes(_ bytes: [UInt8]) -> Bool {
        body += bytes
        return true
    }

    func end(_ failure: TransferError?) { done(isGood && failure == nil ? body : nil) }
}

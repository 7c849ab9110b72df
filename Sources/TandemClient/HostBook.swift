internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// What the host provides, and what it has been asked and not yet answered: a value.
struct HostBook: Sendable {
    struct Provider: Sendable {
        let id: UInt64
        let offer: HostOffer
        let hasFunction: Bool
    }

    struct Pending: Sendable {
        let call: HostCall
        let provider: Provider
        /// 0: none.
        var operation: UInt64
        var tag: JSONText?
        let line: ReplyLine
        let timeoutMilliseconds: Int64
        /// Moves on with each piece of a model's answer.
        var deadline: Deadline
        var timer: TimerID?
    }

    private(set) var providers: [Provider] = []
    var pending: [UInt64: Pending] = [:]
    /// Ways that still have something for who asked, also when the call is over.
    var lines: [UInt64: ReplyLine] = [:]

    var offers: HostOffers {
        var offers = HostOffers()
        for provider in providers {
            switch provider.offer.content {
            case .tool(let tool): offers.tools.append(tool)
            case .model(let model): offers.models.append(model)
            case .permission: offers.answersPermissions = true
            case .question: offers.answersQuestions = true
            }
        }
        return offers
    }

    /// Who answers that; permissions and questions are answered whatever their name.
    func provider(of call: HostCall) -> Provider? {
        providers.first { provider in
            provider.offer.kind == call.kind && (provider.offer.decides || provider.offer.name == call.name)
        }
    }

    /// What stands against an offer.
    func objection(to offer: HostOffer) -> Failure? {
        guard providers.contains(where: { $0.offer.kind == offer.kind && $0.offer.name == offer.name }) else {
            return nil
        }
        let what =
            offer.decides ? "a provider of kind \(offer.kind.rawValue)" : "a \(offer.kind.rawValue) \(offer.name)"
        return Failure(.invalidArgument, "there is \(what) already")
    }

    mutating func add(_ provider: Provider) { providers.append(provider) }

    mutating func remove(_ id: UInt64) -> Provider? {
        guard let index = providers.firstIndex(where: { $0.id == id }) else { return nil }
        return providers.remove(at: index)
    }

    func calls(of provider: UInt64) -> [UInt64] { pending.filter { $0.value.provider.id == provider }.keys.sorted() }
}

extension HostBook.Pending {
    /// The call as the host is told of it (tandem.h, tandem_provide).
    func item(_ id: UInt64) -> HostItem {
        item(id, EventName.hostCall) { writer in
            writer.member("call", Int64(id))
            writer.member("kind", call.kind.rawValue)
            writer.member("name", call.name)
            writer.nullable("session_id", call.sessionID)
            writer.nullable("run_id", call.runID)
            writer.member("timeout_ms", timeoutMilliseconds)
            writer.member("input", call.input)
        }
    }

    /// The word that it is over.
    func end(_ id: UInt64, _ reason: String) -> HostItem {
        item(id, EventName.hostCancel) { writer in
            writer.member("call", Int64(id))
            writer.member("reason", reason)
        }
    }

    private func item(_ id: UInt64, _ type: String, _ write: (inout JSONWriter) -> Void) -> HostItem {
        var writer = JSONWriter()
        writer.member("type", type)
        writer.nullable("tag", tag)
        write(&writer)
        return HostItem(
            call: id,
            operation: operation,
            provider: provider.id,
            hasFunction: provider.hasFunction,
            isCall: type == EventName.hostCall,
            members: writer.bytes
        )
    }
}

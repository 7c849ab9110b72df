package import TandemContract
internal import TandemSystem

/// The host as an engine sees it: made before the engine, and of one client from then on.
///
/// It holds the client weakly: a desk that an engine keeps asks nobody once the client is gone.
package final class HostDesk: Host {
    private struct State: Sendable {
        weak var client: Client?
    }

    private let state = Lock(State())

    package init() {}

    /// Makes it the desk of that client.
    package func attach(_ client: Client) { state.withLock { $0.client = client } }

    package var offers: HostOffers { client?.hostOffers ?? HostOffers() }

    package func ask(_ call: HostCall, _ receiver: any HostReceiver) -> UInt64? { client?.ask(call, receiver) }

    package func cancel(_ call: UInt64, reason: String) { client?.cancelCall(call, reason: reason) }

    private var client: Client? { state.withLock { $0.client } }
}

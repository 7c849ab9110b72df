import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemProviders

@Suite struct HostedModelTests {
    /// A host that keeps the one call it gets.
    private final class OneCallHost: Host {
        struct State {
            var receiver: (any HostReceiver)?
            var reasons: [String] = []
        }

        let state = Lock(State())
        private let early: JSONText?

        /// early: a piece that it sends while it is being asked.
        init(early: JSONText? = nil) { self.early = early }

        var offers: HostOffers { HostOffers() }

        func ask(_ call: HostCall, _ receiver: any HostReceiver) -> UInt64? {
            state.withLock { $0.receiver = receiver }
            if let early { receiver.take(chunk: early) }
            return 7
        }

        func cancel(_ call: UInt64, reason: String) { state.withLock { $0.reasons.append("\(call) \(reason)") } }
    }

    private final class Heard: Sendable {
        let events = Lock<[ModelEvent]>([])
        func take(_ more: [ModelEvent]) { events.withLock { $0 += more } }
        var all: [ModelEvent] { events.withLock { $0 } }
    }

    private func start(_ host: OneCallHost) -> (call: any ModelCall, heard: Heard) {
        let heard = Heard()
        let model = HostedModel(host, sessionID: "s", runID: "r")
        return (model.start(ModelRequest(model: "mine", messages: [])) { heard.take($0) }, heard)
    }

    private let flaw = ModelEvent.failed(
        ModelFailure(.provider, "the host's model mine sent a piece that is neither text nor object")
    )

    @Test func aPieceThatIsNoneEndsTheAnswerAndTheHostsCall() throws {
        let host = OneCallHost()
        let (_, heard) = start(host)
        let receiver = try #require(host.state.withLock { $0.receiver })
        receiver.take(chunk: JSONText(string: "a"))
        receiver.take(chunk: try JSONText(checking: "3"))
        receiver.take(chunk: try JSONText(checking: "4"))
        receiver.end(.success(.emptyObject))
        #expect(heard.all == [.text("a"), flaw])
        #expect(host.state.withLock { $0.reasons } == ["7 host_failed"], "told once")
    }

    @Test func soDoesOneThatComesBeforeTheCallHasANumber() throws {
        let host = OneCallHost(early: try JSONText(checking: "3"))
        let (_, heard) = start(host)
        #expect(heard.all == [flaw])
        #expect(host.state.withLock { $0.reasons } == ["7 host_failed"])
    }

    @Test func anAnswerThatIsWholeIsNotCancelled() throws {
        let host = OneCallHost()
        let (_, heard) = start(host)
        let receiver = try #require(host.state.withLock { $0.receiver })
        receiver.end(.success(try JSONText(checking: #"{"message":"Hi"}"#)))
        #expect(heard.all == [.text("Hi"), .finished(reason: nil)])
        #expect(host.state.withLock { $0.reasons } == [])
    }

    @Test func aCancelledAnswerCancelsTheHostsCall() {
        let host = OneCallHost()
        let (call, heard) = start(host)
        call.cancel()
        #expect(heard.all == [.failed(ModelFailure(.cancelled, "the answer was cancelled"))])
        #expect(host.state.withLock { $0.reasons } == ["7 cancelled"])
    }
}

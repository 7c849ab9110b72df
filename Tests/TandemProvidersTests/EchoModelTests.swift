import TandemProviders
import TandemSystem
import Testing

@Suite struct EchoModelTests {
    private func ask(_ text: String, cancel: Bool = false) throws -> [ModelEvent] {
        let loop = try #require(EventLoop.start())
        let deliveries = Deliveries()
        let messages = [ModelMessage(.user, "first"), ModelMessage(.assistant, "x"), ModelMessage(.user, text)]
        let gate = Monitor(false)
        if cancel { loop.post { _ = gate.wait(until: Deadline(afterMilliseconds: 5_000)) { $0 ? true : nil } } }
        let call = EchoModel(loop).start(ModelRequest(model: "echo-1", messages: messages)) { deliveries.add($0) }
        if cancel { call.cancel() }
        gate.change { $0 = true }
        let events = try deliveries.events()
        #expect(loop.stop(by: Deadline(afterMilliseconds: 2_000)))
        return events
    }

    @Test func lastUserMessageIsRepeatedWordByWord() throws {
        let usage = ModelUsage(prompt: 7, completion: 5, total: 12)
        #expect(
            try ask("hello  wörld\n") == [
                .text("Echo: "), .text("hello  "), .text("wörld\n"), .usage(usage), .finished(reason: "stop"),
            ]
        )
    }

    @Test func longTextIsWhole() throws {
        let text = (0..<500).map { "w\($0)" }.joined(separator: " ")
        let answer = try ask(text).reduce(into: "") { if case .text(let piece) = $1 { $0 += piece } }
        #expect(answer == "Echo: " + text)
    }

    @Test func cancelledEchoSaysSo() throws {
        #expect(try ask("a b", cancel: true) == [.failed(ModelFailure(.cancelled, "the answer was cancelled"))])
    }

    @Test func stoppedLoopFailsAtOnce() throws {
        let loop = try #require(EventLoop.start())
        #expect(loop.stop(by: Deadline(afterMilliseconds: 2_000)))
        let deliveries = Deliveries()
        _ = EchoModel(loop).start(ModelRequest(model: "echo-1", messages: [])) { deliveries.add($0) }
        #expect(deliveries.all.count == 1)
    }
}

import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// Writes down what it hears.
final class FakeReceiver: HostReceiver {
    private let heard = Monitor<[String]>([])
    /// Runs where something is heard.
    let inside = Lock<@Sendable () -> Void>({})

    func take(chunk: JSONText) { note(chunk.text) }

    func end(_ reply: Result<JSONText, Failure>) {
        switch reply {
        case .success(let value): note("end " + value.text)
        case .failure(let failure): note("failed \(failure.name.rawValue) \(failure.message)")
        }
    }

    private func note(_ text: String) {
        inside.withLock { $0 }()
        heard.change { $0.append(text) }
    }

    var all: [String] { heard.withLock { $0 } }

    func waitFor(_ count: Int) -> [String] {
        heard.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.count >= count ? $0 : nil } ?? all
    }
}

@Suite final class ReplyLineTests {
    private let loop: EventLoop
    private let receiver = FakeReceiver()

    init() throws { loop = try #require(EventLoop.start()) }

    deinit { _ = loop.stop(by: Deadline(afterMilliseconds: 10_000)) }

    private func json(_ text: String) throws -> JSONText { try JSONText(checking: text) }

    @Test func piecesAndTheEndComeInOrder() throws {
        let line = ReplyLine(receiver, loop)
        let isClosed = Monitor(false)
        for number in 0..<100 { #expect(line.send(try json("\(number)"))) }
        line.end(.success(.null)) { isClosed.change { $0 = true } }
        #expect(receiver.waitFor(101) == (0..<100).map(String.init) + ["end null"])
        #expect(isClosed.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil } == true)
    }

    @Test func nothingIsHeardAfterTheEnd() throws {
        let line = ReplyLine(receiver, loop)
        line.end(.success(.null)) {}
        _ = receiver.waitFor(1)
        _ = line.send(.null)
        line.end(.success(.null)) {}
        settle()
        #expect(receiver.all == ["end null"])
    }

    @Test func nothingIsHeardOnceItIsClosed() throws {
        let line = ReplyLine(receiver, loop)
        let isHeld = Monitor(true)
        loop.post { _ = isHeld.wait(until: .never) { $0 ? nil : true } }
        #expect(line.send(try json("1")))
        line.end(.success(.null)) {}
        line.close()
        isHeld.change { $0 = false }
        settle()
        #expect(receiver.all == [])
    }

    @Test func closeWaitsForWhatIsBeingHeard() throws {
        let line = ReplyLine(receiver, loop)
        let steps = Monitor<[String]>([])
        receiver.inside.withLock { inside in
            inside = {
                steps.change { $0.append("inside") }
                _ = steps.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.contains("closing") ? true : nil }
                steps.change { $0.append("heard") }
            }
        }
        #expect(line.send(try json("1")))
        _ = steps.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.isEmpty ? nil : true }
        steps.change { $0.append("closing") }
        line.close()
        steps.change { $0.append("closed") }
        #expect(steps.withLock { $0 } == ["inside", "closing", "heard", "closed"])
    }

    @Test func receiverMayCloseWhatItHears() throws {
        let line = ReplyLine(receiver, loop)
        receiver.inside.withLock { $0 = { line.close() } }
        #expect(line.send(try json("1")))
        #expect(receiver.waitFor(1) == ["1"])
        _ = line.send(try json("2"))
        settle()
        #expect(receiver.all == ["1"])
        receiver.inside.withLock { $0 = {} }
    }

    @Test func piecesThatWaitHaveALimit() throws {
        let line = ReplyLine(receiver, loop, limitBytes: 5)
        let isHeld = Monitor(true)
        loop.post { _ = isHeld.wait(until: .never) { $0 ? nil : true } }
        #expect(line.send(try json("123")))
        #expect(!line.send(try json("456")))
        #expect(line.send(try json("78")))
        isHeld.change { $0 = false }
        #expect(receiver.waitFor(2) == ["123", "78"])
        #expect(line.send(try json("45678")))
        #expect(!line.send(try json("456789")), "a piece may be too large by itself")
    }

    /// Waits until the loop has done what was posted so far.
    private func settle() {
        let isDone = Monitor(false)
        loop.post { isDone.change { $0 = true } }
        _ = isDone.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
    }
}

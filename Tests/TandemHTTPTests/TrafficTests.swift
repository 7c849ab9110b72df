import TandemHTTP
import TandemSystem
import Testing

@Suite struct TrafficTests {
    private let traffic = Traffic()
    private let patience = Deadline(afterMilliseconds: 10_000)
    private let server = ScriptedServer { connection in
        while connection.request() != nil { connection.reply(200, "text/plain", "12345") }
    }

    private func check(opened: Int64, open: Int64, sent: Int64, received: Int64) {
        #expect(traffic.counts.connectionsOpened == opened)
        #expect(traffic.counts.connectionsOpen == open)
        #expect(traffic.counts.bytesSent == sent)
        #expect(traffic.counts.bytesReceived == received)
    }

    @Test func blockingTransfersAreCounted() throws {
        let pool = TransferPool(traffic)
        check(opened: 0, open: 0, sent: 0, received: 0)
        for _ in 0..<2 {
            _ = try pool.run(HTTPRequest("POST", server.url, body: Array("abc".utf8)), until: patience, TransferStop())
                .get()
        }
        _ = try pool.run(HTTPRequest("GET", server.url), until: patience, TransferStop()).get()
        check(opened: 1, open: 1, sent: 6, received: 15)
        pool.close()
        check(opened: 1, open: 0, sent: 6, received: 15)
    }

    @Test func transfersOfALoopAreCounted() throws {
        let loop = try #require(EventLoop.start())
        let transfers = TransferLoop(loop, traffic)
        let ended = Monitor(0)
        for _ in 0..<3 {
            transfers.start(
                HTTPRequest("PUT", server.url, body: Array("abcd".utf8)),
                Ending { ended.change { $0 += 1 } }
            )
        }
        #expect(ended.wait(until: patience) { $0 == 3 ? true : nil } == true)
        #expect((1...3).contains(traffic.counts.connectionsOpen))
        #expect(loop.stop(by: patience))
        check(opened: traffic.counts.connectionsOpened, open: 0, sent: 12, received: 15)
    }

    @Test func whatASocketFailedAtWasOpenedAndIsClosed() {
        let port = ScriptedServer.closedPort()
        let result = TransferPool(traffic).run(
            HTTPRequest("GET", "http://127.0.0.1:\(port)"),
            until: patience,
            TransferStop()
        )
        #expect(throws: TransferError.self) { try result.get() }
        check(opened: 1, open: 0, sent: 0, received: 0)
    }
}

private final class Ending: TransferReceiver {
    private let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    func head(_ head: ResponseHead) -> Bool { true }
    func bytes(_ bytes: [UInt8]) -> Bool { true }
    func end(_ failure: TransferError?) { body() }
}

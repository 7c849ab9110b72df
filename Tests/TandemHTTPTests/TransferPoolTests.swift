import TandemHTTP
import TandemSystem
import Testing

@Suite struct TransferPoolTests {
    private let pool = TransferPool()
    private let patience = Deadline(afterMilliseconds: 10_000)

    @Test func answerComesWhole() throws {
        let server = ScriptedServer { connection in
            while let request = connection.request() { connection.reply(201, "text/plain", request) }
        }
        let request = HTTPRequest("POST", server.url + "/a", body: Array("hello".utf8))
        for _ in 0..<3 {
            let response = try pool.run(request, until: patience, TransferStop()).get()
            #expect(response.head.status == 201)
            #expect(String(decoding: response.body, as: UTF8.self).hasSuffix("\r\n\r\nhello"))
        }
        #expect(server.accepted == 1)
    }

    @Test func stoppingFromAnotherThreadEndsItAtOnce() throws {
        let arrived = Monitor(false)
        let server = ScriptedServer { connection in
            _ = connection.request()
            arrived.change { $0 = true }
            connection.waitForClose()
        }
        let stop = TransferStop()
        let stopped = Lock<UInt64>(0)
        let thread = Thread.start("stop") {
            _ = arrived.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
            stopped.withLock { $0 = Deadline.now }
            stop.stop()
        }
        let result = pool.run(HTTPRequest("GET", server.url), until: patience, stop)
        let took = Deadline.now - stopped.withLock { $0 }
        #expect(
            result == .failure(TransferError(.cancelled, "the transfer from 127.0.0.1:\(server.port) was cancelled"))
        )
        #expect(took < 10_000_000_000)
        #expect(thread?.join(by: patience) == true)
    }

    @Test func deadlineEndsIt() {
        let server = ScriptedServer { connection in connection.waitForClose() }
        let result = pool.run(HTTPRequest("GET", server.url), until: Deadline(afterMilliseconds: 50), TransferStop())
        #expect(code(result) == .timedOut)
    }

    @Test func announcedSizeBeyondTheLimitIsRefusedAtTheHead() {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            connection.waitForClose()
        }
        var request = HTTPRequest("GET", server.url)
        request.responseLimit = 999
        #expect(code(pool.run(request, until: patience, TransferStop())) == .tooLarge)
    }

    @Test func whatIsSentOnceIsNotSentAgainOnAnotherConnection() {
        let seen = Lock(0)
        let server = ScriptedServer { connection in
            while connection.request() != nil {
                let count = seen.withLock { seen in
                    seen += 1
                    return seen
                }
                if count > 1 { return }
                connection.reply(200, "text/plain", "ok")
            }
        }
        var request = HTTPRequest("POST", server.url, body: Array("x".utf8))
        request.isSentOnce = true
        #expect(code(pool.run(request, until: patience, TransferStop())) == nil)
        #expect(code(pool.run(request, until: patience, TransferStop())) == .cut)
        #expect(seen.withLock { $0 } == 2)
    }

    private func code(_ result: Result<HTTPResponse, TransferError>) -> TransferError.Code? {
        if case .failure(let error) = result { error.code } else { nil }
    }
}

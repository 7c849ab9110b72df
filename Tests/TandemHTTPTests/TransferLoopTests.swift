import Glibc
import TandemHTTP
import TandemSystem
import Testing

/// A loop for one test; it ends with the test.
private final class Bench {
    let loop: EventLoop
    let transfers: TransferLoop

    init() throws {
        loop = try #require(EventLoop.start())
        transfers = TransferLoop(loop)
    }

    deinit { #expect(loop.stop(by: Deadline(afterMilliseconds: 5_000))) }

    func run(_ request: HTTPRequest) -> Collector {
        let collector = Collector()
        transfers.start(request, collector)
        return collector
    }
}

private final class Collector: TransferReceiver {
    struct State {
        var head: ResponseHead?
        var body: [UInt8] = []
        var reads = 0
        var ends: [TransferError?] = []
    }

    private let state = Monitor(State())

    func head(_ head: ResponseHead) -> Bool {
        state.change { $0.head = head }
        return true
    }

    func bytes(_ bytes: [UInt8]) -> Bool {
        state.change {
            $0.body += bytes
            $0.reads += 1
        }
        return true
    }

    func end(_ failure: TransferError?) { state.change { $0.ends.append(failure) } }

    /// Waits for the end.
    func result() throws -> State {
        try #require(state.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.ends.isEmpty ? nil : $0 })
    }

    func code() throws -> TransferError.Code? { try result().ends[0]?.code }

    var body: [UInt8] { state.withLock { $0.body } }

    func waitForBytes() {
        #expect(state.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.body.isEmpty ? nil : true } == true)
    }
}

/// Tells when the end came.
private final class Ordered: TransferReceiver {
    private let collector: Collector
    private let ended: @Sendable () -> Void

    init(_ collector: Collector, _ ended: @escaping @Sendable () -> Void) {
        self.collector = collector
        self.ended = ended
    }

    func head(_ head: ResponseHead) -> Bool { collector.head(head) }
    func bytes(_ bytes: [UInt8]) -> Bool { collector.bytes(bytes) }

    func end(_ failure: TransferError?) {
        ended()
        collector.end(failure)
    }
}

@Suite struct TransferLoopTests {
    private let bench: Bench

    init() throws { bench = try Bench() }

    @Test func aTransferStartedOnTheLoopIsRefusedAfterwards() throws {
        let collector = Collector()
        let order = Monitor<[String]>([])
        let receiver = Ordered(collector) { order.change { $0.append("ended") } }
        bench.loop.post { [transfers = bench.transfers] in
            transfers.start(HTTPRequest("GET", "http://127.0.0.1/a b"), receiver)
            order.change { $0.append("started") }
        }
        #expect(try collector.code() == .protocol)
        #expect(order.withLock { $0 } == ["started", "ended"])
    }

    @Test func aConnectionIsIdleBetweenTransfers() throws {
        let server = ScriptedServer { connection in
            while connection.request() != nil { connection.reply(200, "text/plain", "x") }
        }
        let request = HTTPRequest("GET", server.url)
        #expect(!bench.transfers.hasIdleConnection)
        for _ in 0..<3 {
            #expect(try bench.run(request).result().ends == [nil])
            #expect(bench.transfers.hasIdleConnection)
        }
        #expect(try bench.run(HTTPRequest("GET", "http://127.0.0.1:\(ScriptedServer.closedPort())")).code() != nil)
        #expect(!bench.transfers.hasIdleConnection)
    }

    /// On the caller's thread, where the loop sleeps.
    @Test func aTransferOfALentTurnIsLikeAnyOther() throws {
        let server = ScriptedServer { connection in
            while let request = connection.request() { connection.reply(200, "text/plain", request) }
        }
        #expect(try bench.run(HTTPRequest("GET", server.url + "/first")).result().ends == [nil])
        for number in 0..<200 {
            let collector = Collector()
            bench.loop.runOrPost { [transfers = bench.transfers] in
                transfers.start(HTTPRequest("GET", server.url + "/\(number)"), collector)
            }
            let state = try collector.result()
            #expect(state.ends == [nil])
            #expect(String(decoding: state.body, as: UTF8.self).hasPrefix("GET /\(number) HTTP"))
        }
    }

    /// A socket of this machine says at once that nobody is there.
    @Test func aTransferThatEndsAtOnceIsHeardOfAfterItsStart() throws {
        var request = HTTPRequest("GET", "http://localhost/")
        request.route.unixSocket = "/tmp/nobody/is/there"
        let (collector, order) = (Collector(), Monitor<[String]>([]))
        let receiver = Ordered(collector) { order.change { $0.append("ended") } }
        bench.loop.post { [transfers = bench.transfers, request] in
            transfers.start(request, receiver)
            order.change { $0.append("started") }
        }
        #expect(try collector.code() == .connect)
        #expect(order.withLock { $0 } == ["started", "ended"])
    }

    @Test func answerComesWithHeadAndBody() throws {
        let server = ScriptedServer { connection in
            let request = connection.request() ?? ""
            connection.reply(201, "Text/Plain; charset=x", request, headers: "X-One: 1\r\n")
        }
        let request = HTTPRequest("POST", server.url + "/a?b", headers: [("X-Mine", "yes")], body: Array("hello".utf8))
        let state = try bench.run(request).result()
        #expect(state.ends == [nil])
        #expect(state.head?.status == 201)
        #expect(state.head?["x-one"] == "1")
        #expect(state.head?.mediaType == "text/plain")
        let seen = String(decoding: state.body, as: UTF8.self)
        #expect(seen.hasPrefix("POST /a?b HTTP/1.1\r\n"))
        #expect(seen.contains("X-Mine: yes\r\n"))
        #expect(seen.hasSuffix("\r\n\r\nhello"))
        #expect(!seen.contains("urlencoded"))
    }

    @Test(arguments: ["GET", "DELETE", "PUT", "PATCH", "HEAD"]) func methodIsSentAsGiven(method: String) throws {
        let server = ScriptedServer { connection in
            let request = connection.request() ?? ""
            connection.reply(request.hasPrefix(method + " / HTTP/1.1") ? 200 : 400, "text/plain", "")
        }
        let body: [UInt8]? = method.hasPrefix("P") ? Array("x".utf8) : nil
        #expect(try bench.run(HTTPRequest(method, server.url + "/", body: body)).result().head?.status == 200)
    }

    @Test func secondRequestUsesTheSameConnection() throws {
        let server = ScriptedServer { connection in
            while connection.request() != nil { connection.reply(200, "text/plain", "ok") }
        }
        for _ in 0..<5 { #expect(try bench.run(HTTPRequest("GET", server.url)).code() == nil) }
        #expect(server.accepted == 1)
    }

    @Test func bodyInSingleBytesIsWhole() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            let body = Connection.chunk("data: one\n\n") + Connection.chunk("data: two\n\n") + "0\r\n\r\n"
            connection.sendEachByte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        }
        let state = try bench.run(HTTPRequest("GET", server.url)).result()
        #expect(String(decoding: state.body, as: UTF8.self) == "data: one\n\ndata: two\n\n")
        #expect(state.ends == [nil])
    }

    @Test func chunksOfOneReadComeTogether() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            let chunks = (0..<50).map { Connection.chunk("data: \($0)\n\n") }.joined()
            connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + "0\r\n\r\n")
        }
        let state = try bench.run(HTTPRequest("GET", server.url)).result()
        #expect(state.reads == 1)
    }

    @Test func refusedPortIsAConnectError() throws {
        let port = ScriptedServer.closedPort()
        let failure = try #require(
            try bench.run(HTTPRequest("GET", "http://127.0.0.1:\(port)/?key=secret")).result().ends[0]
        )
        #expect(failure.code == .connect)
        #expect(failure.message == "cannot connect to 127.0.0.1:\(port): connection refused")
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nda",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nConte",
        "",
    ]) func answerThatStopsIsCut(answer: String) throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.send(answer)
        }
        #expect(try bench.run(HTTPRequest("GET", server.url)).code() == .cut)
    }

    @Test func otherProtocolIsRefused() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.send("SSH-2.0-Nothing of yours\r\n")
        }
        #expect(try bench.run(HTTPRequest("GET", server.url)).code() == .protocol)
        #expect(try bench.run(HTTPRequest("GET", "file:///etc/passwd")).code() == .protocol)
        #expect(try bench.run(HTTPRequest("GET", "http://127.0.0.1:99999/")).code() == .protocol)
    }

    @Test func silenceEndsAtTheIdleLimit() throws {
        let server = openStream()
        var request = HTTPRequest("GET", server.url)
        request.idleTimeoutMilliseconds = 1_000
        let state = try bench.run(request).result()
        #expect(state.ends.map { $0?.code } == [.idle])
        #expect(String(decoding: state.body, as: UTF8.self) == "data: 1\n\n")
    }

    @Test func totalTimeEndsATransferThatIsAlive() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            let end = Deadline(afterMilliseconds: 2_000)
            while !end.hasPassed {
                connection.chunk("x")
                usleep(5_000)
            }
        }
        var request = HTTPRequest("GET", server.url)
        request.idleTimeoutMilliseconds = 1_000
        request.totalTimeoutMilliseconds = 80
        #expect(try bench.run(request).code() == .timedOut)
    }

    @Test func answerBeyondItsLimitIsRefused() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.reply(200, "text/plain", String(repeating: "x", count: 100_000))
        }
        var request = HTTPRequest("GET", server.url)
        request.responseLimit = 99_999
        #expect(try bench.run(request).code() == .tooLarge)
        request.responseLimit = 100_000
        #expect(try bench.run(request).code() == nil)
    }

    @Test func endlessHeadIsRefused() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\n")
            for index in 0..<4_000 { connection.send("X-\(index): \(String(repeating: "x", count: 100))\r\n") }
            connection.send("Content-Length: 0\r\n\r\n")
        }
        #expect(try bench.run(HTTPRequest("GET", server.url)).code() == .tooLarge)
    }

    /// A stream that brings one chunk and goes on until the client closes it.
    private func openStream() -> ScriptedServer {
        ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk("data: 1\n\n")
            connection.waitForClose()
        }
    }

    @Test func cancelInTheMiddleIsPrompt() throws {
        let server = openStream()
        let collector = Collector()
        let id = bench.transfers.start(HTTPRequest("GET", server.url), collector)
        collector.waitForBytes()
        let start = Deadline.now
        bench.transfers.cancel(id)
        bench.transfers.cancel(id)
        #expect(try collector.result().ends.map { $0?.code } == [.cancelled])
        #expect(Deadline.now - start < 10_000_000_000)
        #expect(server.allClosed(by: Deadline(afterMilliseconds: 10_000)))
    }

    @Test func fiftyTransfersRunAtOnce() throws {
        let gate = Monitor(0)
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            gate.change { $0 += 1 }
            _ = gate.wait(until: Deadline(afterMilliseconds: 5_000)) { $0 >= 50 ? true : nil }
            connection.chunk("done")
            connection.lastChunk()
        }
        let collectors = (0..<50).map { _ in bench.run(HTTPRequest("GET", server.url)) }
        for collector in collectors {
            #expect(String(decoding: try collector.result().body, as: UTF8.self) == "done")
        }
    }

    @Test func proxiesOfTheEnvironmentAreIgnored() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.reply(200, "text/plain", "direct")
        }
        let port = ScriptedServer.closedPort()
        for name in ["http_proxy", "all_proxy", "ALL_PROXY"] { setenv(name, "http://127.0.0.1:\(port)", 1) }
        defer { for name in ["http_proxy", "all_proxy", "ALL_PROXY"] { unsetenv(name) } }
        #expect(try bench.run(HTTPRequest("GET", server.url)).code() == nil)
    }

    @Test func redirectIsNotFollowed() throws {
        let server = ScriptedServer { connection in
            while let request = connection.request() {
                let status = request.hasPrefix("GET / ") ? 302 : 200
                connection.reply(status, "text/plain", "", headers: "Location: /elsewhere\r\n")
            }
        }
        let state = try bench.run(HTTPRequest("GET", server.url + "/")).result()
        #expect(state.head?.status == 302)
        #expect(state.ends == [nil])
    }

    @Test(arguments: ["a\r\nX-Evil: 1", "a\u{0}b", "a\nb"]) func headerCannotLeaveItsLine(value: String) throws {
        let server = ScriptedServer { $0.waitForClose() }
        #expect(try bench.run(HTTPRequest("GET", server.url, headers: [("X-A", value)])).code() == .protocol)
        #expect(try bench.run(HTTPRequest("GET", server.url + "/" + value)).code() == .protocol)
        #expect(server.accepted == 0)
    }

    @Test func peerThatGoesAwayWhileWeSendEndsInAnError() throws {
        let server = ScriptedServer { connection in
            var byte: UInt8 = 0
            _ = read(connection.fd, &byte, 1)
            var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
            setsockopt(connection.fd, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<Glibc.linger>.size))
        }
        let body = [UInt8](repeating: 0x78, count: 8 * 1024 * 1024)
        #expect(try bench.run(HTTPRequest("POST", server.url, body: body)).code() == .cut)
    }

    @Test func stoppedLoopEndsEveryTransfer() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk("x")
            connection.waitForClose()
        }
        let collector = bench.run(HTTPRequest("GET", server.url))
        collector.waitForBytes()
        #expect(bench.loop.stop(by: Deadline(afterMilliseconds: 2_000)))
        #expect(try collector.code() == .cancelled)
        #expect(try bench.run(HTTPRequest("GET", server.url)).code() == .cancelled)
    }

    @Test func pairsThatCurlMakesAreClosedOnExec() throws {
        func inherited() -> Set<Int32> {
            Set(
                (3..<1_024).filter { fd in
                    var address = sockaddr()
                    var size = socklen_t(MemoryLayout<sockaddr>.size)
                    return fcntl(fd, F_GETFD) == 0 && getpeername(fd, &address, &size) == 0
                        && address.sa_family == AF_UNIX
                }
            )
        }
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.reply(200, "text/plain", "")
        }
        // A pair is told by the descriptors that are new, which those of other tests may hide: tried until none does.
        let end = Deadline(afterMilliseconds: 20_000)
        var left: Set<Int32> = []
        repeat {
            let before = inherited()
            let alone = try Bench()
            #expect(try alone.run(HTTPRequest("GET", server.url)).code() == nil)
            left = inherited().subtracting(before)
        } while !left.isEmpty && !end.hasPassed
        #expect(left == [])
    }

    @Test func socketsAreClosedOnExec() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk("x")
            connection.waitForClose()
        }
        let collector = Collector()
        let port = server.port
        let id = bench.transfers.start(HTTPRequest("GET", server.url), collector)
        collector.waitForBytes()
        let found = (3..<1_024).filter { fd in
            var address = sockaddr_in()
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let result = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(Int32(fd), $0, &size) }
            }
            return result == 0 && address.sin_family == AF_INET && UInt16(bigEndian: address.sin_port) == port
        }
        #expect(found.count == 1)
        for fd in found { #expect(fcntl(Int32(fd), F_GETFD) & FD_CLOEXEC != 0) }
        bench.transfers.cancel(id)
    }

    @Test func aPausedTransferHoldsItsServerBackAndLosesNothing() throws {
        let body = (0..<32).flatMap { [UInt8](repeating: $0, count: 1_000_000) }
        let (gate, held) = (Monitor(false), Monitor<Int?>(nil))
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            var sent = connection.sendUntilHeld(Array(body.prefix(1)), milliseconds: 5_000)
            _ = gate.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
            sent += connection.sendUntilHeld(Array(body[sent...]), milliseconds: 300)
            held.change { $0 = sent }
            sent += connection.sendUntilHeld(Array(body[sent...]), milliseconds: 10_000)
        }
        let collector = Collector()
        let id = bench.transfers.start(HTTPRequest("GET", server.url), collector)
        collector.waitForBytes()
        bench.transfers.pause(id)
        bench.transfers.pause(id)
        // Behind the pause on the loop.
        bench.loop.post { gate.change { $0 = true } }
        let sent = held.wait(until: Deadline(afterMilliseconds: 30_000)) { $0 }
        #expect(try #require(sent) < body.count)
        #expect(collector.body.count == 1)
        bench.transfers.resume(id)
        bench.transfers.resume(id)
        let state = try collector.result()
        #expect(state.ends == [nil])
        #expect(state.body == body)
    }

    /// A stream whose second piece comes when the gate is open.
    private func streamInTwo(
        _ gate: Monitor<Bool>,
        then rest: @escaping @Sendable (Connection) -> Void = { _ in }
    ) -> ScriptedServer {
        ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk("a")
            _ = gate.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
            connection.chunk("b")
            rest(connection)
        }
    }

    @Test func theIdleTimeoutRunsOnlyWhileATransferIsNotPaused() throws {
        let (gate, sent) = (Monitor(false), Monitor(false))
        let server = streamInTwo(gate) { connection in
            sent.change { $0 = true }
            connection.waitForClose()
        }
        let silent = ScriptedServer { connection in
            _ = connection.request()
            connection.waitForClose()
        }
        var request = HTTPRequest("GET", server.url)
        request.idleTimeoutMilliseconds = 1_000
        let collector = Collector()
        let id = bench.transfers.start(request, collector)
        collector.waitForBytes()
        bench.transfers.pause(id)
        request.url = silent.url
        request.idleTimeoutMilliseconds = 1_500
        #expect(try bench.run(request).code() == .idle)
        gate.change { $0 = true }
        #expect(sent.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil } == true)
        bench.transfers.resume(id)
        let state = try collector.result()
        #expect(state.ends.map { $0?.code } == [.idle], "the silence after it counts")
        #expect(String(decoding: state.body, as: UTF8.self) == "ab")
    }

    @Test func aTransferMayBePausedBeforeItIsConnected() throws {
        let server = ScriptedServer { connection in
            while let request = connection.request() { connection.reply(200, "text/plain", request) }
        }
        let collector = Collector()
        let id = Monitor<TransferID?>(nil)
        bench.loop.post { [transfers = bench.transfers] in
            let started = transfers.start(HTTPRequest("GET", server.url + "/first"), collector)
            transfers.pause(started)
            id.change { $0 = started }
        }
        #expect(try bench.run(HTTPRequest("GET", server.url + "/second")).result().ends == [nil])
        #expect(collector.body.isEmpty)
        bench.transfers.resume(try #require(id.withLock { $0 }))
        let state = try collector.result()
        #expect(state.ends == [nil])
        #expect(String(decoding: state.body, as: UTF8.self).hasPrefix("GET /first "))
    }

    @Test func aPausedTransferIsCancelledAndItsHandleUsedAgain() throws {
        let server = ScriptedServer { connection in
            while let request = connection.request() {
                guard request.hasPrefix("GET /stream") else {
                    connection.reply(200, "text/plain", "x")
                    continue
                }
                connection.streamHead()
                connection.chunk("a")
            }
        }
        for _ in 0..<3 {
            let collector = Collector()
            let id = bench.transfers.start(HTTPRequest("GET", server.url + "/stream"), collector)
            collector.waitForBytes()
            bench.transfers.pause(id)
            bench.transfers.cancel(id)
            #expect(try collector.result().ends.map { $0?.code } == [.cancelled])
            bench.transfers.resume(id)
            bench.transfers.pause(id)
            #expect(try bench.run(HTTPRequest("GET", server.url)).result().ends == [nil])
        }
    }

    @Test func aServerThatLeavesAPausedTransferEndsItWhenItIsResumed() throws {
        let gate = Monitor(false)
        let server = streamInTwo(gate)
        let collector = Collector()
        let id = bench.transfers.start(HTTPRequest("GET", server.url), collector)
        collector.waitForBytes()
        bench.transfers.pause(id)
        bench.loop.post { gate.change { $0 = true } }
        #expect(server.allClosed(by: Deadline(afterMilliseconds: 10_000)))
        bench.transfers.resume(id)
        let state = try collector.result()
        #expect(state.ends.map { $0?.code } == [.cut])
        #expect(String(decoding: state.body, as: UTF8.self) == "ab")
    }

    @Test func closingEndsAPausedTransfer() throws {
        let server = openStream()
        let collector = Collector()
        let id = bench.transfers.start(HTTPRequest("GET", server.url), collector)
        collector.waitForBytes()
        bench.transfers.pause(id)
        bench.transfers.close()
        bench.transfers.resume(id)
        #expect(try collector.result().ends.map { $0?.code } == [.cancelled])
        #expect(server.allClosed(by: Deadline(afterMilliseconds: 10_000)))
    }
}

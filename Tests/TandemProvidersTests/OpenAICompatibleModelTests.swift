import TandemHTTP
import TandemProviders
import TandemSystem
import Testing

/// Gathers the deliveries of one answer.
final class Deliveries: Sendable {
    private let state = Monitor<[[ModelEvent]]>([])

    func add(_ events: [ModelEvent]) { state.change { $0.append(events) } }

    var all: [[ModelEvent]] { state.withLock { $0 } }

    /// Waits for the last event and gives all.
    func events() throws -> [ModelEvent] {
        let deadline = Deadline(afterMilliseconds: 10_000)
        return try #require(state.wait(until: deadline) { $0.last?.last?.isLast == true ? $0.flatMap { $0 } : nil })
    }

    func waitForAny() {
        #expect(state.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.isEmpty ? nil : true } == true)
    }
}

@Suite final class OpenAICompatibleModelTests {
    private let loop: EventLoop
    private let transfers: TransferLoop
    private static let request = ModelRequest(model: "m", messages: [ModelMessage(.user, "hi")])
    private static let answer = #"data: {"choices":[{"delta":{"content":"hey"},"finish_reason":"stop"}]}"# + "\n\n"

    init() throws {
        loop = try #require(EventLoop.start())
        transfers = TransferLoop(loop)
    }

    deinit { #expect(loop.stop(by: Deadline(afterMilliseconds: 5_000))) }

    private func ask(_ url: String, key: String? = nil, idle: Int64 = 5_000) -> (
        deliveries: Deliveries, call: any ModelCall
    ) {
        var options = OpenAICompatibleModel.Options(baseURL: url, apiKey: key)
        options.idleTimeoutMilliseconds = idle
        let deliveries = Deliveries()
        let model = OpenAICompatibleModel(transfers, options)
        return (deliveries, model.start(OpenAICompatibleModelTests.request) { deliveries.add($0) })
    }

    private func lastFailure(_ events: [ModelEvent]) -> ModelFailure? {
        if case .failed(let failure) = events.last { failure } else { nil }
    }

    @Test func answerIsStreamedAndTheConnectionUsedAgain() throws {
        let answer = OpenAICompatibleModelTests.answer
        let server = ScriptedServer { connection in
            while let request = connection.request() {
                guard request.hasPrefix("POST /v1/chat/completions "), request.contains("Bearer k3y") else { return }
                // In one piece: a connection is free again when the last chunk has come, not when the answer is over.
                connection.streamHead()
                connection.send(Connection.chunk(answer + "data: [DONE]\n\n") + "0\r\n\r\n")
            }
        }
        for _ in 0..<3 {
            let events = try ask(server.url, key: "k3y").deliveries.events()
            #expect(events == [.text("hey"), .finished(reason: "stop")])
        }
        #expect(server.accepted == 1)
    }

    @Test(arguments: [nil, "", "x", "placeholder"]) func noKeyMeansNoAuthorization(key: String?) throws {
        let server = ScriptedServer { connection in
            let request = connection.request() ?? ""
            connection.reply(
                request.lowercased().contains("authorization") ? 400 : 200,
                "text/event-stream",
                "data: [DONE]\n\n"
            )
        }
        #expect(try ask(server.url, key: key).deliveries.events() == [.finished(reason: nil)])
    }

    @Test func absentServerIsNamed() throws {
        let port = ScriptedServer.closedPort()
        let failure = lastFailure(try ask("http://127.0.0.1:\(port)").deliveries.events())
        #expect(failure == ModelFailure(.provider, "cannot connect to 127.0.0.1:\(port): connection refused"))
    }

    @Test func pageIsNamedByItsType() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.reply(200, "text/html", "<html></html>")
        }
        #expect(lastFailure(try ask(server.url).deliveries.events())?.message.contains("text/html") == true)
    }

    @Test func halfAnEventThenCloseFails() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            connection.send(#"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\ndata: {\"choi")
        }
        let events = try ask(server.url).deliveries.events()
        #expect(events.first == .text("a"))
        #expect(lastFailure(events)?.category == .provider)
        #expect(
            lastFailure(events)?.message.hasPrefix("127.0.0.1:\(server.port) ended its answer in the middle") == true
        )
    }

    @Test func cutConnectionFailsUnlessTheReasonWasSeen() throws {
        let answer = OpenAICompatibleModelTests.answer
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk(answer)
        }
        #expect(try ask(server.url).deliveries.events() == [.text("hey"), .finished(reason: "stop")])
        let cutting = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk(": nothing yet\n\n")
        }
        #expect(
            lastFailure(try ask(cutting.url).deliveries.events())?.message.contains("closed the connection") == true
        )
    }

    @Test func stallEndsInATimeout() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.waitForClose()
        }
        let failure = lastFailure(try ask(server.url, idle: 500).deliveries.events())
        #expect(failure == ModelFailure(.timeout, "127.0.0.1:\(server.port) sent nothing for 500 ms"))
    }

    @Test func failureInTheStreamClosesTheConnection() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk("data: {nope\n\n")
            connection.waitForClose()
        }
        let deliveries = ask(server.url).deliveries
        #expect(lastFailure(try deliveries.events())?.message.contains("not valid JSON") == true)
        #expect(server.allClosed(by: Deadline(afterMilliseconds: 2_000)))
        #expect(deliveries.all.count == 1)
    }

    @Test func cancelEndsTheAnswer() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.streamHead()
            connection.chunk(#"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n")
            connection.waitForClose()
        }
        let (deliveries, call) = ask(server.url)
        deliveries.waitForAny()
        call.cancel()
        #expect(lastFailure(try deliveries.events())?.category == .cancelled)
    }

    @Test func keyInAComplaintIsHidden() throws {
        let server = ScriptedServer { connection in
            _ = connection.request()
            connection.reply(401, "application/json", #"{"error":{"message":"wrong: sk-secret!"}}"#)
        }
        let failure = lastFailure(try ask(server.url, key: "sk-secret").deliveries.events())
        #expect(failure?.message.hasSuffix("wrong: [key]!") == true)
        #expect(failure?.category == .authentication)
    }

    @Test func eventsOfOneReadAreOneDelivery() throws {
        let chunk = Connection.chunk(#"data: {"choices":[{"delta":{"content":"a"}}]}"# + "\n\n")
        let server = ScriptedServer { connection in
            _ = connection.request()
            let body = String(repeating: chunk, count: 20) + Connection.chunk("data: [DONE]\n\n") + "0\r\n\r\n"
            connection.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + body
            )
        }
        let deliveries = ask(server.url).deliveries
        #expect(try deliveries.events().count == 21)
        #expect(deliveries.all.count == 1)
    }
}

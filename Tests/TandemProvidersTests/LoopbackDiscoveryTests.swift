import TandemHTTP
import TandemProviders
import TandemSystem
import Testing

@Suite final class LoopbackDiscoveryTests {
    private let loop: EventLoop

    init() throws { loop = try #require(EventLoop.start()) }

    deinit { #expect(loop.stop(by: Deadline(afterMilliseconds: 5_000))) }

    private func server(_ status: Int, _ body: String) -> ScriptedServer {
        ScriptedServer { connection in
            let request = connection.request() ?? ""
            connection.reply(request.hasPrefix("GET /v1/models ") ? status : 404, "application/json", body)
        }
    }

    private func probe(_ ports: UInt16...) throws -> LoopbackServer? {
        let found = Monitor<[LoopbackServer?]>([])
        let candidates = ports.enumerated().map {
            LoopbackDiscovery.Candidate(provider: "p\($0.offset)", port: $0.element)
        }
        LoopbackDiscovery.probe(TransferLoop(loop), candidates) { server in found.change { $0.append(server) } }
        return try #require(found.wait(until: Deadline(afterMilliseconds: 10_000)) { $0.first })
    }

    @Test func betterPlaceWins() throws {
        let first = server(200, #"{"data":[{"id":"a"}]}"#)
        let second = server(200, #"{"data":[{"id":"b"}]}"#)
        let found = try #require(try probe(first.port, second.port))
        #expect(found.provider == "p0")
        #expect(found.baseURL == "http://127.0.0.1:\(first.port)/v1")
        #expect(found.model == "a")
    }

    @Test(arguments: [(404, "{}"), (200, "<html>"), (200, #"{"data":[]}"#), (200, "{"), (302, "")])
    func whatIsNoModelServerIsPassedOver(status: Int, body: String) throws {
        let other = server(status, body)
        let good = server(200, #"{"data":[{"id":"nomic-embed"},{"id":"b"}]}"#)
        #expect(try probe(ScriptedServer.closedPort(), other.port, good.port)?.model == "b")
        #expect(try probe(other.port) == nil)
    }

    @Test func nothingThereIsSoonKnown() throws {
        let start = Deadline.now
        #expect(try probe(ScriptedServer.closedPort(), ScriptedServer.closedPort()) == nil)
        #expect(Deadline.now - start < 10_000_000_000)
    }

    @Test func silentServerCostsItsLimitOnly() throws {
        let silent = ScriptedServer { $0.waitForClose() }
        let good = server(200, #"{"data":[{"id":"b"}]}"#)
        let start = Deadline.now
        #expect(try probe(silent.port, good.port)?.model == "b")
        #expect(Deadline.now - start < 20_000_000_000)
    }

    @Test func usualPlacesAreLlamaThenOllama() {
        #expect(LoopbackDiscovery.usual.map(\.port) == [8080, 11434])
        #expect(LoopbackDiscovery.usual.map(\.provider) == ["llama_cpp", "ollama"])
    }
}

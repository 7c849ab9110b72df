import TandemContract
import Testing

@testable import TandemRemote

@Suite struct LoggedPathTests {
    private let path = LoggedPath(base: "http://engine:1/secret-gateway")

    private func text(_ target: String, _ name: String) throws -> String {
        path.text(of: path.base + target, try #require(Operation.named(name)).path)
    }

    @Test func identifiersStand() throws {
        #expect(try text("/session/s-1", "sessions.get") == "/session/s-1")
        #expect(try text("/session/a%2Fb", "sessions.get") == "/session/a%2Fb")
    }

    @Test func otherArgumentsShowTheirNames() throws {
        #expect(try text("/resource/project/a%20b/c", "resources.get") == "/resource/{key}")
        let pieces: [Operation.PathPiece] = [
            .literal("/webhooks/automations/"), .argument("public_path_token", keepsSlashes: false),
            .literal("/"), .argument("setup_nonce", keepsSlashes: false),
        ]
        #expect(
            path.text(of: path.base + "/webhooks/automations/tk_1/nonce", pieces)
                == "/webhooks/automations/{public_path_token}/{setup_nonce}"
        )
    }

    @Test func ofAQueryNumbersIdentifiersAndFlagsStand() throws {
        #expect(
            try text("/session?q=words%20of%20mine&page=2&archived=true&projectID=p&scope_id=x&empty=", "sessions.list")
                == "/session?q=…&page=2&archived=true&projectID=p&scope_id=x&empty="
        )
    }

    @Test func aLongIdentifierIsCut() throws {
        let id = String(repeating: "i", count: 10_000)
        #expect(try text("/session/\(id)", "sessions.get").count < 100)
    }

    @Test func theAddressIsNotShown() throws {
        #expect(!(try text("/session/s", "sessions.get")).contains("gateway"))
    }
}

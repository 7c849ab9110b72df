import TandemJSON
import Testing

@testable import TandemContract

/// Every reply of the real engine that has a rule is made a result.
@Suite struct RecordedResultsTests {
    private typealias Operation = TandemContract.Operation

    /// Replies of accepted calls that are failures without strict: operation and variant, and why.
    private static let refused = [
        "pack_builder.apply (data-pack-builder/apply without approval)": "refuses_with_ok_false",
        "pack_builder.apply (data-pack-builder/apply an unknown plan)": "refuses_with_ok_false",
        "context_runs.create (more-context-runs-streams/context_runs.create 2)": "refuses_with_ok_false",
        "sessions.prompt_sync (core-prompt-sync/JSON, failing)": "prompt_sync: the run failed",
    ]

    private func results(_ body: (String, Operation, JSONText, JSONText) throws -> Void) throws -> Int {
        var count = 0
        for vector in try RecordedVectors.all() where vector["outcome"]?.string == "ok" {
            guard let operation = vector["op"]?.string.flatMap(Operation.named),
                let reply = vector.at("response", "json"), let status = vector.at("response", "status")?.integer,
                operation.response == .json
            else { continue }
            let plan = try Plan(operation, RecordedVectors.arguments(vector, operation))
            let name = RecordedVectors.name(vector)
            switch plan.result(of: .json(reply, status: Int(status)), operation, now: 0) {
            case .success(let result): try body(name, operation, reply, result)
            case .failure(let failure): #expect(Self.refused[name] != nil, "\(name): \(failure.message)")
            }
            count += 1
        }
        return count
    }

    @Test func nothingOfAReplyIsLost() throws {
        let count = try results { name, operation, reply, result in
            // What stands around a member that is the result is left out on purpose.
            let isTaken = operation.result.take != nil && operation.result.list == nil
            let wire = isTaken ? operation.result.take.flatMap { reply.at($0) } ?? reply : reply
            #expect(
                holds(result, wire, movesRequests: operation.recipe == "pending_requests"),
                "\(name): \(result.text)"
            )
        }
        #expect(count > 800)
    }

    @Test func everyNameOfARuleIsThere() throws {
        var found: Set<String> = []
        _ = try results { name, operation, _, result in
            for rule in operation.result.names {
                guard case .paths(let paths) = rule.source else { continue }
                for object in objects(operation, result) {
                    guard let value = paths.lazy.compactMap({ object.at($0) }).first else { continue }
                    found.insert("\(operation.name) \(rule.documented.joined(separator: "."))")
                    let given = object.at(rule.documented)
                    #expect(given != nil, "\(name): \(rule.documented) is missing, it is \(value.text)")
                }
            }
        }
        #expect(found.count > 60, "\(found.count)")
    }

    /// The objects that an operation's names hold for.
    private func objects(_ operation: Operation, _ result: JSONText) -> [JSONText] {
        if result.kind == .array { return result.elements }
        let items = operation.result.each.flatMap { result[$0]?.elements } ?? []
        return items + [result]
    }

    /// Whether everything of the wire is in the result, a bare list under the rule's name.
    private func holds(_ result: JSONText, _ wire: JSONText, movesRequests: Bool) -> Bool {
        switch wire.kind {
        case .object:
            return wire.members.allSatisfy { key, value in
                if movesRequests, key == "requests" {
                    let all = ["requests", "past_requests"].flatMap { result[$0]?.elements ?? [] }
                    return value.elements.allSatisfy { all.contains($0) }
                }
                return result[key].map { holds($0, value, movesRequests: false) } ?? false
            }
        case .array:
            let items =
                result.kind == .array ? result : result.members.map(\.value).first { $0.kind == .array } ?? result
            guard items.elements.count == wire.elements.count else { return false }
            return zip(items.elements, wire.elements).allSatisfy { holds($0, $1, movesRequests: false) }
        default: return result == wire
        }
    }
}

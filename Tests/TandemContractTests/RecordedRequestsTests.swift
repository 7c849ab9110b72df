import TandemJSON
import Testing

@testable import TandemContract

/// Every request that the real engine was sent is planned again from its arguments.
@Suite struct RecordedRequestsTests {
    /// Vectors whose arguments the planner refuses for a good reason: operation and variant, and why.
    static let refused: [String: String] = [:]
    /// Calls that the engine took and that are made otherwise unless strict: operation and variant, and why.
    static let translated = [
        "automations.list_runs (auto-legacy/the SDK's filter is not read)": "routine_filter: the filter is made to work"
    ]

    @Test(arguments: [true, false]) func everyRecordedRequestIsMadeAgain(isStrict: Bool) throws {
        let vectors = try RecordedVectors.all()
        #expect(vectors.count == 1554)
        var problems: [String] = []
        for vector in vectors {
            let name = RecordedVectors.name(vector)
            if RecordedRequestsTests.refused[name] != nil { continue }
            // Forms that the engine refuses are translated: only strictly the same request comes out.
            if !isStrict, vector["outcome"]?.string != "ok" || RecordedRequestsTests.translated[name] != nil {
                continue
            }
            if let problem = problem(vector, isStrict) { problems.append("\(name): \(problem)") }
        }
        #expect(problems.isEmpty, "\(problems.count): \(problems.prefix(20).joined(separator: "\n"))")
    }

    /// What is wrong with the planned request; nil: nothing.
    private func problem(_ vector: JSONText, _ isStrict: Bool) -> String? {
        guard let name = vector["op"]?.string, let operation = TandemContract.Operation.named(name),
            let recorded = vector["request"]
        else { return "no such operation" }
        var options = CallOptions()
        // A prompt that is a text is the documented form, which the engine was sent translated.
        options.isStrict = isStrict && vector.at("args", "prompt")?.kind != .string
        let plan: Plan
        do throws(Failure) {
            plan = try Plan(operation, RecordedVectors.arguments(vector, operation), defaults: options)
        } catch {
            return error.message
        }
        let route = (operation.description["request"]?.string ?? "").split(separator: " ").map(String.init)
        let path = path(route.last ?? "", plan.request)
        if route.first != recorded["method"]?.string || path != recorded["path"]?.string {
            return "\(route.first ?? "") \(path)"
        }
        let query = plan.request.query.map { "\($0.name)=\($0.value)" }.sorted()
        let wanted = (recorded["query"]?.elements ?? []).map { pair in
            pair.elements.compactMap(\.string).joined(separator: "=")
        }
        if query != wanted.sorted() { return "query \(query), recorded \(wanted)" }
        return problem(ofBody: plan.request.body, vector, recorded)
    }

    private func path(_ template: String, _ request: Request) -> String {
        request.path.reduce(template) { path, field in
            let parts = [field.name, field.name + "..."].map { "{\($0)}" }
            return parts.reduce(path) { path, part in
                guard let range = path.firstRange(of: part) else { return path }
                return path.replacingCharacters(in: range, with: field.value)
            }
        }
    }

    private func problem(ofBody body: JSONText?, _ vector: JSONText, _ recorded: JSONText) -> String? {
        let wanted = recorded["body"] ?? .null
        let isAbsent = recorded["body_kind"]?.string == "none"
        if vector["any_empty_body"]?.boolean == true, body == nil || body == .emptyObject,
            isAbsent || wanted == .emptyObject
        {
            return nil
        }
        // A null that was sent is something else than no body.
        if isAbsent { return body.map { "a body: \($0.text.prefix(200))" } }
        guard let body, body.canonical == wanted.canonical else {
            return "body \(body?.text.prefix(300) ?? "none"), recorded \(wanted.text.prefix(300))"
        }
        return nil
    }
}

extension String {
    fileprivate func replacingCharacters(in range: Range<String.Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}

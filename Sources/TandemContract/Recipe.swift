internal import TandemJSON

/// What the library does around the requests of an operation; contract/recipes.json says each in words.
package enum Recipe {
    /// Completes a request before it leaves, and refuses what its recipe cannot be carried out with.
    ///
    /// makeKey: nil where no request is sent a second time.
    package static func prepare(
        _ plan: inout Plan,
        _ operation: Operation,
        makeKey: (() -> String)?
    ) throws(Failure) {
        switch operation.recipe {
        case "prompt":
            guard let makeKey, plan.request.header("idempotency-key") == nil else { return }
            plan.request.headers.append(.init("Idempotency-Key", makeKey()))
        case "optimization_action": if !plan.options.isStrict { try applyWinner(&plan, operation) }
        case "destination_upsert", "destination_remove", "route_upsert", "route_remove":
            if !plan.options.isStrict { _ = try MonitorConfigSteps.edit(operation, plan.request) }
        default: break
        }
    }

    /// Applying is no action of engines but a route of the experiment.
    private static func applyWinner(_ plan: inout Plan, _ operation: Operation) throws(Failure) {
        guard let body = plan.request.body, body["action"]?.string == "apply" else { return }
        guard let experiment = body["experiment_id"]?.string, !experiment.isEmpty,
            let apply = Operation.named("optimizations.apply_winner")
        else { throw Failure(.invalidArgument, "\(operation.name) needs experiment_id beside the action apply") }
        var request = Request(apply.number, path: plan.request.path, headers: plan.request.headers)
        request.path.append(.init("experiment_id", experiment))
        plan.request = request
    }

    /// A reply that is an answer, whatever its status says.
    static func accepted(_ reply: Reply, _ operation: Operation) -> Reply {
        guard operation.recipe == "conflict_is_readiness", reply.status == 409, let json = reply.json,
            json["readiness"] != nil
        else { return reply }
        return .json(json)
    }

    /// Makes the operation's result of the reply's.
    static func finish(
        _ result: JSONText,
        _ operation: Operation,
        now milliseconds: Int64
    ) -> Result<JSONText, Failure> {
        switch operation.recipe {
        case "prompt_sync": answer(result)
        case "pending_requests": .success(pendingRequests(result, now: milliseconds))
        default: .success(result)
        }
    }

    /// Those that can still be answered, oldest first; all others in a list of their own.
    private static func pendingRequests(_ result: JSONText, now milliseconds: Int64) -> JSONText {
        guard let requests = result["requests"], requests.kind == .array else { return result }
        let all = requests.elements
        let isPending: (JSONText) -> Bool = { request in
            request["status"]?.string == "pending" && request["expiresAtMs"]?.integer ?? .max > milliseconds
        }
        let age: (JSONText) -> Int64 = { $0["requestedAtMs"]?.integer ?? 0 }
        let pending = all.filter(isPending).sorted { age($0) < age($1) }
        return result.replacing("requests", with: JSONWriter.array(of: pending))
            .setting("past_requests", JSONWriter.array(of: all.filter { !isPending($0) }))
    }

    private static func answer(_ result: JSONText) -> Result<JSONText, Failure> {
        guard result.kind == .array else { return answer(in: result) }
        let messages = result.elements
        let last = messages.last { $0.at("info", "role")?.string == "assistant" }
        let parts = (last?["parts"]?.elements ?? []).filter { ($0["type"]?.string ?? "text") == "text" }
        let text = parts.compactMap { $0["text"]?.string }.joined()
        if let failure = failedRun(text) { return .failure(failure) }
        return .success(
            JSONWriter.object { writer in
                writer.member("text", text)
                writer.member("messages", result)
            }
        )
    }

    /// Other engines answer with an object that says the text under one of these names.
    private static func answer(in result: JSONText) -> Result<JSONText, Failure> {
        guard result.kind == .object else { return .success(result) }
        let texts = ["reply", "text", "output"].compactMap { result[$0]?.string }
        let text = texts.first { !$0.isEmpty } ?? ""
        if let failure = failedRun(text) { return .failure(failure) }
        return .success(result.setting("text", JSONText(string: text)))
    }

    /// A failed run answers prompt_sync with status 200 and a last message of this form.
    private static func failedRun(_ text: String) -> Failure? {
        let mark = "ENGINE_ERROR: "
        guard text.hasPrefix(mark) else { return nil }
        let said = text.dropFirst(mark.count).split(separator: ":", maxSplits: 1).map(String.init)
        let code = said.first ?? ""
        let message = said.count > 1 ? String(said[1].drop { $0 == " " }) : code
        return Failure(
            Failure.name(runCode: code, message: message, category: nil),
            message,
            detail: JSONWriter.object { writer in
                writer.member("code", code)
                writer.member("message", message)
            }
        )
    }
}

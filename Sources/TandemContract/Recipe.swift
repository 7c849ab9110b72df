package import TandemJSON

/// What the library does around the one request of an operation; contract/recipes.json says each in words.
package enum Recipe {
    /// Completes a request before it leaves.
    package static func prepare(_ plan: inout Plan, _ operation: Operation, makeKey: () -> String) {
        guard operation.recipe == "prompt", plan.request.header("idempotency-key") == nil else { return }
        plan.request.headers.append(.init("Idempotency-Key", makeKey()))
    }

    /// Makes the operation's result of the reply's.
    package static func finish(_ result: JSONText, _ operation: Operation) -> Result<JSONText, Failure> {
        guard operation.recipe == "prompt_sync", result.kind == .array else { return .success(result) }
        let messages = result.elements
        let last = messages.last { $0.at("info", "role")?.string == "assistant" }
        let text = (last?["parts"]?.elements ?? []).compactMap { $0["text"]?.string }.joined()
        if let failure = failedRun(text) { return .failure(failure) }
        return .success(
            JSONWriter.object { writer in
                writer.member("text", text)
                writer.member("messages", result)
            }
        )
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

package import TandemJSON

// `sessions.run` is no request of an engine's: its arguments are those of a prompt, with terms beside them.
extension Plan {
    /// The prompt that the run begins with, and the terms.
    package init(run operation: Operation, _ arguments: JSONText, defaults: CallOptions, now: Int64 = 0) throws(Failure)
    {
        guard arguments.kind == .object else {
            throw Failure(.invalidArgument, "the arguments of \(operation.name) are no JSON object")
        }
        let split = try RunArguments(operation, arguments)
        guard let prompt = Operation.named(split.hasParts ? "sessions.prompt_async_parts" : "sessions.prompt_async")
        else { throw Failure(.internalError, "the contract has no prompt") }
        try self.init(prompt, split.prompt, defaults: defaults, now: now)
        run = try RunTerms(permissions: split.permissions, questions: split.questions)
    }
}

private struct RunArguments {
    private(set) var permissions: JSONText?
    private(set) var questions: JSONText?
    private(set) var hasParts = false
    private(set) var prompt = JSONText.emptyObject

    /// Arguments that are options of the call under a name of their own.
    private static let options: Set<String> = ["vocabulary", "fold", "coalesce_ms"]

    init(_ operation: Operation, _ arguments: JSONText) throws(Failure) {
        let known = Set(operation.arguments.flatMap(\.names))
        var left: [(key: String, value: JSONText)] = []
        for (key, value) in arguments.members {
            switch key {
            case "permissions": permissions = value
            case "questions": questions = value
            case _ where RunArguments.options.contains(key): left.append(("$" + key, value))
            case _ where key.hasPrefix("$") || known.contains(key): left.append((key, value))
            default: throw Failure(unknownArgument: key, of: operation)
            }
        }
        let given = left.map(\.key)
        hasParts = given.contains("parts")
        if !given.contains("$body"), hasParts == given.contains("prompt") {
            throw Failure(.invalidArgument, "\(operation.name) needs one of prompt and parts")
        }
        prompt = JSONWriter.object { writer in for (key, value) in left { writer.member(key, value) } }
    }
}

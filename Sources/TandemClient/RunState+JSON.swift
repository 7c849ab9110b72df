internal import TandemContract
internal import TandemJSON

// The forms in which callers see a run's state (contract/client.json: RunState).
extension RunState {
    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.raw(others)
            writer.key("text")
            text.write(to: &writer)
        }
    }

    /// The members beside the text, without braces.
    func written() -> [UInt8] {
        var writer = JSONWriter()
        writer.nullable("run_id", runID)
        writer.member("status", status.rawValue)
        writer.key("tools")
        tools.write(to: &writer)
        writer.member("todos", todos)
        writer.key("permissions")
        permissions.write(to: &writer)
        writer.key("questions")
        questions.write(to: &writer)
        writer.key("usage")
        if let usage { usage.write(to: &writer) } else { writer.null() }
        if let error { writer.member("error", error) }
        return writer.bytes
    }

    /// Of a failed run: name, code, message and category.
    var error: JSONText? {
        guard let failure else { return nil }
        let error = failure["error"] ?? .emptyObject
        return error.kind == .object ? error.adding("category", failure["category"] ?? .null) : error
    }

    /// What a copy of it may come to own.
    var ownBytes: Int { text.ownBytes + 64 }
}

internal import TandemContract
internal import TandemJSON

/// What a host replied, read by the kind of what it was asked (tandem.h, tandem_reply).
enum HostReply {
    /// Why a reply is none.
    struct Fault: Error, Equatable {
        let reason: String

        /// What the call fails with.
        var failure: Failure { Failure(.hostFailed, "the host's reply cannot be read: \(reason)") }
    }

    static func checked(_ text: Result<JSONText, Failure>) throws(Fault) -> JSONText {
        switch text {
        case .success(let json): return json
        case .failure(let failure): throw Fault(reason: failure.message)
        }
    }

    /// The X of `{"ok": X}` in its full form, or the host's own word that it failed.
    static func read(_ reply: JSONText, _ kind: HostCall.Kind) throws(Fault) -> Result<JSONText, Failure> {
        if let value = reply["ok"] { return .success(try self.value(value, kind)) }
        guard let error = reply["error"], let message = error["message"]?.string ?? error.string else {
            throw Fault(reason: "it is neither {\"ok\": ...} nor {\"error\": {\"message\": ...}}")
        }
        let isRetryable = error["retryable"]?.boolean ?? false
        return .failure(Failure(.hostFailed, message, isRetryable: isRetryable))
    }

    private static func value(_ value: JSONText, _ kind: HostCall.Kind) throws(Fault) -> JSONText {
        switch kind {
        case .tool:
            if value.kind == .string { return value }
            guard value["output"]?.kind == .string, value["metadata"].map(isObjectOrNull) ?? true else {
                throw Fault(reason: "a tool's result is a text or {\"output\": text, \"metadata\": object}")
            }
        case .model: return try answer(value)
        case .permission:
            guard let word = value.string, ["once", "always", "reject"].contains(word) else {
                throw Fault(reason: "a permission is \"once\", \"always\" or \"reject\"")
            }
        case .question:
            guard value.kind == .array else { throw Fault(reason: "the answers to questions are an array") }
        }
        return value
    }

    /// A model's answer, its message in full.
    private static func answer(_ value: JSONText) throws(Fault) -> JSONText {
        let message = value["message"]
        if message == nil, value["choices"] != nil { throw wholeReply }
        guard value.kind == .object, message.map({ isMessage($0) || $0.isNull || $0.kind == .string }) ?? true,
            value["usage"].map(isObjectOrNull) ?? true,
            value["finish_reason"].map({ $0.isNull || $0.kind == .string }) ?? true
        else {
            throw Fault(
                reason: "a model's answer is {\"message\": text or object, \"finish_reason\": text, \"usage\": object}"
            )
        }
        guard let text = message, text.kind == .string else { return value }
        return JSONWriter.object { writer in
            for (key, member) in value.members where key != "message" { writer.member(key, member) }
            writer.member(
                "message",
                object: { writer in
                    writer.member("role", "assistant")
                    writer.member("content", text)
                }
            )
        }
    }

    /// A model's piece in the form of a `delta`; a tool's progress as it is.
    static func chunk(_ value: JSONText, _ kind: HostCall.Kind) throws(Fault) -> JSONText {
        guard kind == .model else { return value }
        if value.kind == .string { return JSONWriter.object { $0.member("content", value) } }
        if value["choices"] != nil { throw wholeReply }
        guard isMessage(value) else { throw Fault(reason: "a piece of a model's answer is a text or a delta") }
        return value
    }

    private static let wholeReply = Fault(
        reason: "it is a whole reply of an OpenAI server; give the `delta` or the `message` in its `choices`"
    )

    /// An OpenAI message or delta, as far as it is read.
    private static func isMessage(_ value: JSONText) -> Bool {
        func holds(_ name: String, _ kinds: JSONText.Kind...) -> Bool {
            value[name].map { $0.isNull || kinds.contains($0.kind) } ?? true
        }
        return value.kind == .object && holds("content", .string, .array) && holds("tool_calls", .array)
    }

    private static func isObjectOrNull(_ value: JSONText) -> Bool { value.kind == .object || value.isNull }
}

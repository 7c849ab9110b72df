internal import TandemContract
internal import TandemJSON

/// How a tool call ended.
struct ToolOutcome: Equatable, Sendable {
    enum State: String, Sendable { case completed, failed, denied }

    let state: State
    /// What the part of the message shows: a text, or `{"output", "metadata"}`; nil for a failure.
    let result: JSONText?
    let error: String?
    /// The output's text.
    private let output: String

    static func completed(_ output: String, metadata: JSONText? = nil) -> ToolOutcome {
        let result =
            if let metadata {
                JSONWriter.object { writer in
                    writer.member("output", output)
                    writer.member("metadata", metadata)
                }
            } else { JSONText(string: output) }
        return ToolOutcome(state: .completed, result: result, error: nil, output: output)
    }

    static func failed(_ error: String) -> ToolOutcome {
        ToolOutcome(state: .failed, result: nil, error: error, output: "")
    }

    static func denied(_ error: String) -> ToolOutcome {
        ToolOutcome(state: .denied, result: nil, error: error, output: "")
    }

    /// The X of a host's `{"ok": X}`: a text, or `{"output", "metadata"}`; of anything else the JSON is the output.
    init(host reply: Result<JSONText, Failure>) {
        switch reply {
        case .success(let value):
            if let output = value["output"]?.string {
                self = .completed(output, metadata: value["metadata"].flatMap { $0.isNull ? nil : $0 })
            } else {
                self = .completed(value.string ?? value.text)
            }
        case .failure(let failure): self = .failed(failure.message)
        }
    }

    /// More is not shown to a model.
    static let modelBytes = 64 * 1024

    /// What the model is told.
    var modelText: String { error.map { "Error: " + $0 } ?? ToolOutcome.cut(output) }

    static func cut(_ text: String) -> String {
        guard text.utf8.count > modelBytes else { return text }
        var end = text.utf8.index(text.startIndex, offsetBy: modelBytes)
        while end > text.startIndex, end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end] + "\n[cut: the first \(modelBytes) of \(text.utf8.count) bytes]"
    }

    private init(state: State, result: JSONText?, error: String?, output: String) {
        self.state = state
        self.result = result
        self.error = error
        self.output = output
    }
}

package import TandemJSON

extension JSONText {
    /// Answers to one or several questions as the one text that an engine takes: a line each, labels between commas.
    package var answerText: String {
        guard kind == .array else { return string ?? text }
        return elements.map { answer in
            answer.kind == .array
                ? answer.elements.map { $0.string ?? $0.text }.joined(separator: ", ") : answer.string ?? answer.text
        }.joined(separator: "\n")
    }
}

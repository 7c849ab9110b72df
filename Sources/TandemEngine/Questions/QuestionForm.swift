internal import TandemJSON

/// Questions in the form in which they are shown, and what a model is told of the answers.
enum QuestionForm {
    /// From a model's arguments, in whichever of the usual ways it put them; nil where nothing is asked.
    static func questions(_ arguments: JSONText) -> JSONText? {
        let given = arguments["questions"]?.elements ?? []
        let asked = (given.isEmpty ? [arguments] : given).filter { !text(of: $0).allSatisfy(\.isWhitespace) }
        guard !asked.isEmpty else { return nil }
        return JSONWriter.array { writer in
            for question in asked { write(question, to: &writer) }
        }
    }

    private static func text(of question: JSONText) -> String {
        question.string ?? question["question"]?.string ?? question["text"]?.string ?? ""
    }

    private static func write(_ question: JSONText, to writer: inout JSONWriter) {
        let options = (question["options"] ?? question["choices"])?.elements ?? []
        writer.object { writer in
            writer.member("header", question["header"]?.string ?? "Question")
            writer.member("question", text(of: question))
            writer.member(
                "options",
                array: { writer in
                    for option in options {
                        guard let label = option.string ?? option["label"]?.string else { continue }
                        writer.object { writer in
                            writer.member("label", label)
                            writer.member("description", option["description"]?.string ?? "")
                        }
                    }
                }
            )
            writer.member("multiple", question["multiple"]?.boolean ?? false)
            writer.member("custom", question["custom"]?.boolean ?? options.isEmpty)
        }
    }

    /// The answer as a model reads it: of one question the answer alone, of several each with its question.
    ///
    /// An answer is a text, or an array of them: one for each question, each a text or the labels that were chosen.
    static func told(_ answer: JSONText, to questions: JSONText) -> String {
        let asked = questions.elements.map { text(of: $0) }
        guard answer.kind == .array else { return words(answer) }
        let answers = answer.elements
        if asked.count == 1 { return words(answers.count == 1 ? answers.first ?? .null : answer) }
        return zip(asked, answers.map(words) + Array(repeating: "", count: max(0, asked.count - answers.count)))
            .map { question, answer in
                question + "\n" + (answer.isEmpty ? "(no answer)" : answer)
            }.joined(separator: "\n\n")
    }

    private static func words(_ value: JSONText) -> String {
        switch value.kind {
        case .string: value.string ?? ""
        case .null: ""
        case .array: value.elements.map(words).filter { !$0.isEmpty }.joined(separator: ", ")
        default: value.text
        }
    }
}

internal import TandemJSON
internal import TandemProviders

/// The tools that the engine has of its own.
enum BuiltInTool: String, CaseIterable, Sendable {
    case question
    case todos = "todo_write"

    var model: ModelTool {
        switch self {
        case .question:
            ModelTool(
                name: rawValue,
                description: "Asks the user one or more questions and waits for the answers.",
                parameters: BuiltInTool.questionSchema
            )
        case .todos:
            ModelTool(
                name: rawValue,
                description:
                    "Keeps the list of what is to be done in this conversation: give the whole list each time.",
                parameters: BuiltInTool.todoSchema
            )
        }
    }

    private static let questionSchema = JSONText(
        trusted: Array(
            #"""
            {"type":"object","required":["questions"],"properties":{"questions":{"type":"array","items":{"type":"object",\#
            "required":["question"],"properties":{"question":{"type":"string"},"header":{"type":"string"},\#
            "choices":{"type":"array","items":{"type":"string"}},"multiple":{"type":"boolean"}}}}}}
            """#.utf8
        )
    )

    private static let todoSchema = JSONText(
        trusted: Array(
            #"""
            {"type":"object","required":["todos"],"properties":{"todos":{"type":"array","items":{"type":"object",\#
            "required":["content"],"properties":{"id":{"type":"string"},"content":{"type":"string"},\#
            "status":{"type":"string","enum":["pending","in_progress","completed","cancelled"]}}}}}}
            """#.utf8
        )
    )
}

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

    private static let questionSchema = JSONWriter.object { writer in
        writer.member("type", "object")
        writer.member(
            "properties",
            object: { writer in
                writer.member(
                    "questions",
                    object: { writer in
                        writer.member("type", "array")
                        writer.member("items", questionItem)
                    }
                )
            }
        )
        writer.member("required", array: { $0.string("questions") })
    }

    private static let questionItem = JSONWriter.object { writer in
        writer.member("type", "object")
        writer.member(
            "properties",
            object: { writer in
                writer.member("question", object: { $0.member("type", "string") })
                writer.member("header", object: { $0.member("type", "string") })
                writer.member(
                    "choices",
                    object: { writer in
                        writer.member("type", "array")
                        writer.member("items", object: { $0.member("type", "string") })
                    }
                )
                writer.member("multiple", object: { $0.member("type", "boolean") })
            }
        )
        writer.member("required", array: { $0.string("question") })
    }

    private static let todoSchema = JSONWriter.object { writer in
        writer.member("type", "object")
        writer.member(
            "properties",
            object: { writer in
                writer.member(
                    "todos",
                    object: { writer in
                        writer.member("type", "array")
                        writer.member("items", todoItem)
                    }
                )
            }
        )
        writer.member("required", array: { $0.string("todos") })
    }

    private static let todoItem = JSONWriter.object { writer in
        writer.member("type", "object")
        writer.member(
            "properties",
            object: { writer in
                for name in ["id", "content"] { writer.member(name, object: { $0.member("type", "string") }) }
                writer.member(
                    "status",
                    object: { writer in
                        writer.member("type", "string")
                        writer.member(
                            "enum",
                            array: { writer in
                                for status in ["pending", "in_progress", "completed", "cancelled"] {
                                    writer.string(status)
                                }
                            }
                        )
                    }
                )
            }
        )
        writer.member("required", array: { $0.string("content") })
    }
}

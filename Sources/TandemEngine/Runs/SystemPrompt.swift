/// What the model is told before all else.
enum SystemPrompt {
    static func text(directory: String, isWorkspace: Bool) -> String {
        var lines = [
            "You are an assistant inside a program that runs on Linux.",
            "Answer plainly and directly, in the language of the user, and say so when you do not know something.",
            "You have no tools in this conversation: work with what the messages contain.",
        ]
        if isWorkspace { lines.append("The user works in the directory \(directory).") }
        return lines.joined(separator: "\n")
    }
}

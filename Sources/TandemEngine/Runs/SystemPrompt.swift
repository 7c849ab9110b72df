/// What the model is told before all else.
struct SystemPrompt: Equatable {
    /// Where the user works; nil: nobody named a directory.
    let directory: String?

    func text(hasTools: Bool) -> String {
        var lines = [
            "You are an assistant inside a program that runs on Linux.",
            "Answer plainly and directly, in the language of the user, and say so when you do not know something.",
            hasTools
                ? "Call the tools of this conversation where they help; what a tool reports as an error did not happen."
                : "You have no tools in this conversation: work with what the messages contain.",
        ]
        if let directory { lines.append("The user works in the directory \(directory).") }
        return lines.joined(separator: "\n")
    }
}

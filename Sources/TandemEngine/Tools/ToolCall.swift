internal import TandemJSON
internal import TandemProviders

/// One call of a tool, with a number that no other call of its run has.
struct ToolCall: Equatable, Sendable {
    let serial: Int
    let id: String
    /// The tool's own name where it is known, else what the model called it.
    let name: String
    /// Always an object.
    let arguments: JSONText
    /// Which answer of the model made it, from 1 on.
    let round: Int

    /// As the model is shown that it made it.
    var model: ModelToolCall { ModelToolCall(id: id, name: name, arguments: arguments.text) }
}

/// What a model wrote as arguments.
enum ToolArguments {
    /// In an error's text.
    private static let shownBytes = 300

    /// An object, or why there is none; nothing at all means no arguments.
    static func read(_ text: String) -> Result<JSONText, Flaw> {
        if text.allSatisfy(\.isWhitespace) { return .success(.emptyObject) }
        do throws(JSONError) {
            let value = try JSONText(checking: text)
            if value.kind == .object { return .success(value) }
            // Some models write the object as a text.
            if let inner = value.string, let object = try? JSONText(checking: inner), object.kind == .object {
                return .success(object)
            }
            if value.isNull { return .success(.emptyObject) }
            return .failure(Flaw("the arguments have to be a JSON object: \(shown(text))"))
        } catch {
            return .failure(
                Flaw("the arguments are not valid JSON (\(error.message), at byte \(error.offset)): \(shown(text))")
            )
        }
    }

    struct Flaw: Error, Equatable {
        let message: String

        init(_ message: String) { self.message = message }
    }

    private static func shown(_ text: String) -> String {
        text.utf8.count <= shownBytes ? text : text.prefix(shownBytes) + "…"
    }
}

/// How much of a conversation a model is shown.
enum ContextMode: String, CaseIterable, Sendable {
    case auto, compact, full

    /// What a mode comes to for one prompt.
    struct Window: Equatable {
        let name: String
        let messages: Int
        let characters: Int
    }

    /// More than this is refused also in full mode.
    static let fullCharacters = 480_000

    /// More are not read, however short they are.
    private static let fullMessages = 50_000

    /// Short small talk needs little of what was said before.
    private static let shortCharacters = 72
    private static let shortWords = 10

    func window(for prompt: String) -> Window {
        switch self {
        case .full: Window(name: "full", messages: ContextMode.fullMessages, characters: ContextMode.fullCharacters)
        case .compact: Window(name: "compact", messages: 12, characters: 12_000)
        case .auto:
            ContextMode.isShort(prompt)
                ? Window(name: "auto_compact", messages: 12, characters: 12_000)
                : Window(name: "auto_standard", messages: 40, characters: 80_000)
        }
    }

    private static func isShort(_ prompt: String) -> Bool {
        prompt.utf8.count <= 4 * shortCharacters && prompt.unicodeScalars.count <= shortCharacters
            && prompt.split(whereSeparator: \.isWhitespace).count <= shortWords
    }
}

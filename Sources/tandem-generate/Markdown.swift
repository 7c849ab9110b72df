/// The forms of Markdown that the generated pages use.
enum Markdown {
    static let opening = "<!-- \(Output.mark) -->"

    static func page(_ path: String, _ lines: [String]) -> Output {
        Output(path: path, text: ([opening] + lines).joined(separator: "\n") + "\n")
    }

    static func code(_ text: String) -> String { "`\(text)`" }

    static func codes(_ texts: [String]) -> String { texts.map(code).joined(separator: ", ") }

    static func link(_ text: String, _ target: String) -> String { "[\(text)](\(target))" }

    /// Where GitHub puts a heading: in small letters, without points, hyphens for blanks.
    static func anchor(_ heading: String) -> String {
        "#"
            + heading.lowercased().filter { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "-" || $0 == " " }
            .replacing(" ", with: "-")
    }

    static func table(_ head: [String], _ rows: [[String]]) -> [String] {
        guard !rows.isEmpty else { return [] }
        let lines = [head, head.map { _ in "---" }] + rows
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }
    }

    /// Keeps a text from ending its table cell, or from being read as HTML or emphasis outside of code.
    static func escaped(_ text: String) -> String {
        var isCode = false
        return text.reduce(into: "") { result, character in
            if character == "`" { isCode.toggle() }
            switch character {
            case "|": result += "\\|"
            case "<" where !isCode: result += "&lt;"
            case "*" where !isCode: result += "\\*"
            case "[" where !isCode, "]" where !isCode: result += "\\" + String(character)
            default: result.append(character)
            }
        }
    }
}

// Names of types and units, as readers meet them.
extension Markdown {
    /// A type; those with a name lead to `page`, which lists them.
    static func type(_ name: String, page: String) -> String {
        for (opening, word) in [("array<", "array of "), ("map<", "map of ")]
        where name.hasPrefix(opening) && name.hasSuffix(">") {
            return word + type(String(name.dropFirst(opening.count).dropLast()), page: page)
        }
        return name.first?.isUppercase == true ? link(code(name), page + anchor(name)) : code(name)
    }

    /// What a number means whose name ends in a unit.
    static func unit(of name: String) -> String? {
        let units = [
            ("_at_ms", "Unix time in milliseconds."), ("_at", nil), ("_ms", "Milliseconds."), ("_seconds", "Seconds."),
            ("_hours", "Hours."), ("_bytes", "Bytes."),
        ]
        if ["from_ms", "to_ms", "since_ms", "until_ms", "not_before_ms"].contains(name) { return units[0].1 }
        return units.first { name.hasSuffix($0.0) }?.1
    }
}

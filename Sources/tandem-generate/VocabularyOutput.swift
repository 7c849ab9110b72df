/// `docs/types.md`, `docs/errors.md` and `docs/events.md`: what the pages of operations name.
enum VocabularyOutput {
    static func make(_ contract: Contract) -> [Output] { [types(contract), errors(contract), events(contract)] }

    private static func types(_ contract: Contract) -> Output {
        var lines = [
            "# Types", "",
            "Objects in the arguments of [operations](operations.md). A member that is not required may be left out.",
        ]
        for type in contract.types.sorted(by: { $0.key < $1.key }) {
            lines += ["", "## \(type.key)"]
            if let summary = type.value["summary"]?.string { lines += ["", Markdown.escaped(summary)] }
            lines += describe(type.value)
        }
        return Markdown.page("docs/types.md", lines)
    }

    private static func describe(_ type: Value) -> [String] {
        var lines: [String] = []
        if let bases = type["includes"]?.strings {
            lines += [
                "", "With the members of " + bases.map { Markdown.type($0, page: "") }.joined(separator: ", ") + ".",
            ]
        }
        lines += fields(type["fields"]?.elements ?? [])
        let how =
            type["tag"]?.string.map { "One of these; `\($0)` says which." }
            ?? (type["keyed"]?.isTrue == true
                ? "An object with one of these as its only key." : "One of these; its members tell which.")
        let variants = type["variants"]?.elements ?? []
        if !variants.isEmpty { lines += ["", how] }
        for variant in variants {
            lines += ["", "`\(variant["name"]?.string ?? "")`"] + fields(variant["fields"]?.elements ?? [])
        }
        return lines
    }

    private static func fields(_ fields: [Value]) -> [String] {
        guard !fields.isEmpty else { return [] }
        return [""]
            + Markdown.table(
                ["member", "type", "required", ""],
                fields.map { field in
                    let argument = Argument(
                        entry: field,
                        name: field["name"]?.string ?? "",
                        place: .body,
                        isWildcard: false
                    )
                    let wire = argument.wire == argument.name ? "" : " (`\(argument.wire)`)"
                    return [
                        Markdown.code(argument.name) + wire, Markdown.type(argument.type, page: ""),
                        argument.isRequired ? "yes" : "", OperationSection.notes(argument),
                    ]
                }
            )
    }

    private static func errors(_ contract: Contract) -> Output {
        let intro = [
            "# Errors", "",
            "`name` of an error says what happened and is the same for every engine; `code` is the constant of `tandem.h`. An",
            "engine's refusal gets its name from the code in its reply, else from the HTTP status. *Again*: the same call may succeed",
            "later. The engine's whole reply is in `detail`.", "",
        ]
        let rows = contract.file("errors").members.map { error in
            let codes = (error.value["engine_codes"]?.elements ?? []).map(condition)
            let statuses = (error.value["statuses"]?.elements ?? []).map(\.compact)
            return [
                Markdown.code(error.key), Markdown.code(error.value["constant"]?.string ?? ""),
                error.value["retryable"]?.isTrue == true ? "yes" : "",
                Markdown.escaped(error.value["summary"]?.string ?? ""),
                codes.joined(separator: ", "), statuses.joined(separator: ", "),
            ]
        }
        let table = Markdown.table(["name", "code", "again", "", "engine's codes", "statuses"], rows)
        return Markdown.page("docs/errors.md", intro + table)
    }

    private static func condition(_ code: Value) -> String {
        if let text = code.string { return Markdown.code(text) }
        let words = code.members.map { member in
            member.key == "code"
                ? Markdown.code(member.value.string ?? "")
                : "\(member.key.replacing("_", with: " ")) `\(member.value.string ?? member.value.compact)`"
        }
        return words.joined(separator: " ")
    }

    private static func events(_ contract: Contract) -> Output {
        let events = contract.file("events")
        var lines = [
            "# Events", "",
            "An event is `{\"op\", \"seq\", \"type\", \"tag\", \"session_id\", \"run_id\", \"at_ms\", \"properties\"}`; `tandem.h` says what each member",
            "is. With `\"vocabulary\": \"normalized\"`, the default, `type` is one of the first table; an event of the engine that has no",
            "such form comes as `engine.` and its own name. With `\"vocabulary\": \"engine\"` it is one of the second, and the engine's",
            "frame stands under `frame` in place of `properties`.", "", "## Normalized", "",
        ]
        lines += Markdown.table(
            ["type", "", "properties", "made from"],
            (events["normalized"]?.members ?? []).map { event in
                let properties = (event.value["properties"]?.elements ?? []).map { property in
                    "`\(property["name"]?.string ?? "")` "
                        + (property["type"]?.string ?? "").replacing("<", with: "&lt;")
                }
                let terminal = event.value["terminal"]?.isTrue == true ? " Terminal." : ""
                let flat = event.value["flat"]?.isTrue == true ? " Flat: its properties stand at the top." : ""
                return [
                    Markdown.code(event.key),
                    Markdown.escaped((event.value["summary"]?.string ?? "") + terminal + flat),
                    properties.joined(separator: ", "), Markdown.codes(event.value["from"]?.strings ?? []),
                ]
            }
        )
        lines += ["", "## The engine's", "", "*Read*: it is in the engine's code, and was never seen.", ""]
        lines += Markdown.table(
            ["type", "", "properties"],
            (events["engine"]?.members ?? []).map { event in
                let isSeen = event.value["recorded"] != .boolean(false)
                return [
                    Markdown.code(event.key),
                    Markdown.escaped((event.value["summary"]?.string ?? "") + (isSeen ? "" : " *Read*.")),
                    Markdown.codes(event.value["properties"]?.strings ?? []),
                ]
            }
        )
        return Markdown.page("docs/events.md", lines)
    }
}

/// The errors and the conditions of each as constant data in C.
enum ErrorTableOutput {
    static func make(_ contract: Contract) -> Output {
        let errors = contract.file("errors").members
        let rows = errors.map { "    {\(row($0))},\n" }.joined()
        return Output(
            path: "Sources/CTandemTable/Generated/errors.c",
            text: CText.opening + "const libtandem_error libtandem_errors[] = {\n\(rows)};\n\n"
                + "const uint32_t libtandem_error_count = \(errors.count);\n"
        )
    }

    private static func row(_ error: Value.Member) -> String {
        let statuses = (error.value["statuses"]?.elements ?? []).map(\.compact)
        let codes = error.value["engine_codes"]?.elements ?? []
        let conditions = codes.map { "{\(condition($0))}" }.joined(separator: ", ")
        return CText.members([
            ("name", CText.literal(error.key)),
            ("summary", CText.optional(error.value["summary"]?.string)),
            ("value", error.value["value"]?.compact),
            ("retryable", CText.flag(error.value["retryable"]?.isTrue == true)),
            ("statuses", statuses.isEmpty ? nil : "(const int32_t[]){\(statuses.joined(separator: ", "))}"),
            ("status_count", statuses.isEmpty ? nil : "\(statuses.count)"),
            ("codes", codes.isEmpty ? nil : "(const libtandem_engine_code[]){\(conditions)}"),
            ("code_count", codes.isEmpty ? nil : "\(codes.count)"),
            ("run_categories", CText.list(error.value["run_categories"]?.strings ?? [])),
        ])
    }

    private static func condition(_ code: Value) -> String {
        CText.members([
            ("code", CText.optional(code.string ?? code["code"]?.string)),
            ("has", CText.optional(code["has"]?.string)),
            ("lacks", CText.optional(code["lacks"]?.string)),
            ("message_starts", CText.optional(code["message_starts"]?.string)),
            ("edition", CText.optional(code["edition"]?.string)),
            ("status", code["status"]?.compact),
        ])
    }
}

/// What `tandem_describe` gives of events, errors and types.
enum DescriptionOutput {
    static func make(_ contract: Contract) -> Output {
        let events = contract.file("events").members.flatMap { kind in
            kind.value.members.map { (kind.key, $0) }
        }
        let texts = [
            ("events", eventObject(events)),
            ("errors", CText.object(contract.file("errors").members.map { ($0.key, $0.value) })),
            ("types", CText.object(contract.types.map { ($0.key, $0.value) })),
        ]
        let constants = texts.map { "const char *const libtandem_\($0)_json =\n\($1);\n" }
        return Output(
            path: "Sources/CTandemTable/Generated/descriptions.c",
            text: CText.opening + constants.joined(separator: "\n")
        )
    }

    /// Two objects of events in one, each event on a line.
    private static func eventObject(_ events: [(kind: String, event: Value.Member)]) -> String {
        var lines: [String] = []
        var open = ""
        for (kind, event) in events {
            let start = kind == open ? "," : (open.isEmpty ? "{" : "},") + Value.quoted(kind) + ":{"
            lines.append(CText.literal(start + Value.quoted(event.key) + ":" + event.value.compact))
            open = kind
        }
        return (lines + [CText.literal(events.isEmpty ? "{}" : "}}")]).map { "    " + $0 }.joined(separator: "\n")
    }
}

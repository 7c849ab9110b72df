/// The keys that an object of the contract may have, in the order in which they are written.
struct Schema {
    enum Kind { case text, textOrNull, flag, texts, integer, objects, object, any }

    let keys: [(name: String, kind: Kind)]
    let required: [String]

    func kind(of key: String) -> Kind? { keys.first { $0.name == key }?.kind }

    /// The members in the schema's order; those it does not know stand last.
    func sorted(_ members: [Value.Member]) -> [Value.Member] {
        keys.flatMap { key in members.filter { $0.key == key.name } } + members.filter { kind(of: $0.key) == nil }
    }
}

extension Schema {
    static let file = Schema(
        keys: [
            ("namespace", .text), ("summary", .text), ("acts_for_owner", .flag), ("types", .object),
            ("operations", .object),
        ],
        required: ["namespace", "summary", "operations"]
    )
    static let operation = Schema(
        keys: [
            ("summary", .text), ("documented", .flag), ("embedded", .flag), ("request", .textOrNull), ("body", .text),
            ("body_required", .flag), ("arguments", .objects), ("result", .object), ("response", .text),
            ("pages", .object), ("stream", .object), ("retry", .text), ("edition", .text), ("gone", .flag),
            ("recipe", .text),
            ("paths", .texts), ("refuses_with_ok_false", .flag), ("errors", .texts), ("details", .text),
        ],
        required: ["summary", "request"]
    )
    static let argument = Schema(
        keys: [
            ("name", .text), ("type", .text), ("required", .flag), ("in", .text), ("wire", .text), ("const", .any),
            ("accepts", .texts), ("enum", .texts), ("form", .text), ("adapt", .text), ("default", .any),
            ("summary", .text),
        ],
        required: ["name", "type"]
    )
    static let result = Schema(
        keys: [
            ("take", .text), ("list", .text), ("each", .text), ("names", .object), ("python", .textOrNull),
            ("type", .text),
        ],
        required: []
    )
    static let stream = Schema(
        keys: [("first", .any), ("carries", .texts), ("ends", .text), ("resumes", .text), ("cursor", .object)],
        required: ["first", "carries", "ends", "resumes"]
    )
    static let pages = Schema(
        keys: [
            ("argument", .text), ("also", .text), ("size", .text), ("items", .text), ("counts", .text), ("next", .text),
        ],
        required: ["argument", "size"]
    )
    static let cursor = Schema(keys: [("argument", .text), ("pointer", .text)], required: ["argument", "pointer"])
    static let type = Schema(
        keys: [
            ("includes", .texts), ("tag", .text), ("keyed", .flag), ("variants", .objects), ("fields", .objects),
            ("summary", .text),
        ],
        required: []
    )
    static let variant = Schema(keys: [("name", .text), ("fields", .objects)], required: ["name"])
    static let error = Schema(
        keys: [
            ("constant", .text), ("value", .integer), ("retryable", .flag), ("statuses", .any),
            ("engine_codes", .any), ("run_categories", .texts), ("summary", .text),
        ],
        required: ["constant", "value", "retryable", "summary"]
    )
    static let engineCode = Schema(
        keys: [
            ("code", .text), ("has", .text), ("lacks", .text), ("status", .integer), ("message_starts", .text),
            ("edition", .text),
        ],
        required: []
    )
    static let engineEvent = Schema(
        keys: [("summary", .text), ("properties", .texts), ("carries_run_id", .flag), ("recorded", .flag)],
        required: ["summary", "properties"]
    )
    static let normalizedEvent = Schema(
        keys: [
            ("summary", .text), ("properties", .objects), ("from", .texts), ("status", .text), ("terminal", .flag),
            ("flat", .flag),
        ],
        required: ["summary", "properties", "from"]
    )
    static let compatibility = Schema(
        keys: [("operation", .text), ("documented", .text), ("engine", .text), ("ours", .text), ("source", .text)],
        required: ["operation", "documented", "engine", "ours", "source"]
    )
}

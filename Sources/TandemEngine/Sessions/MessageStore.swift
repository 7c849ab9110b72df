internal import TandemJSON
internal import TandemProviders
internal import TandemStore

/// The messages of sessions, each in its wire form.
enum MessageStore {
    enum Kind: Int64 {
        /// Part of the conversation.
        case said = 0
        /// Shown to clients only.
        case notice = 1
    }

    static let migrations = [
        Migration(
            1,
            """
            CREATE TABLE messages (
                number INTEGER PRIMARY KEY,
                session INTEGER NOT NULL,
                role TEXT NOT NULL,
                kind INTEGER NOT NULL,
                created_ms INTEGER NOT NULL,
                wire BLOB NOT NULL,
                model_text TEXT
            );
            CREATE INDEX messages_of_session ON messages (session)
            """
        )
    ]

    /// Stores a message of one text; its row.
    @discardableResult
    static func insert(
        _ role: ModelMessage.Role,
        _ text: String,
        id: String,
        kind: Kind = .said,
        session: (number: Int64, id: String),
        at milliseconds: Int64,
        into store: Connection
    ) throws(StoreError) -> Int64 {
        let wire = JSONWriter.object { writer in
            writer.member(
                "info",
                object: { writer in
                    writer.member("id", id)
                    writer.member("sessionID", session.id)
                    writer.member("role", role.rawValue)
                    writer.member("time", object: { $0.member("created", milliseconds / 1000) })
                }
            )
            writer.member(
                "parts",
                array: { writer in
                    writer.object { writer in
                        writer.member("type", "text")
                        writer.member("text", text)
                    }
                }
            )
        }
        try store.run(
            "INSERT INTO messages (session, role, kind, created_ms, wire) VALUES (?, ?, ?, ?, ?)",
            .integer(session.number),
            .text(role.rawValue),
            .integer(kind.rawValue),
            .integer(milliseconds),
            .blob(Array(wire.bytes))
        )
        return store.lastRow
    }

    static func setModelText(_ text: String, of message: Int64, in store: Connection) throws(StoreError) {
        try store.run("UPDATE messages SET model_text = ? WHERE number = ?", .text(text), .integer(message))
    }

    /// Adds a part to a message.
    static func append(_ part: JSONText, to message: Int64, in store: Connection) throws(StoreError) {
        let end = Array("]}".utf8)
        let wire = try store.first("SELECT wire FROM messages WHERE number = ?", .integer(message)) { $0.bytes(0) }
        guard let wire, wire.suffix(end.count).elementsEqual(end) else { return }
        try store.run(
            "UPDATE messages SET wire = ?, has_tools = 1 WHERE number = ?",
            .blob(wire.dropLast(end.count) + [UInt8(ascii: ",")] + part.bytes + end),
            .integer(message)
        )
    }

    static func id(of message: Int64, in store: Connection) throws(StoreError) -> String {
        try store.first("SELECT wire FROM messages WHERE number = ?", .integer(message)) {
            JSONText(trusted: $0.bytes(0)).at("info", "id")?.string ?? ""
        } ?? ""
    }

    /// All messages as the wire has them.
    static func wire(session: Int64, in store: Connection) throws(StoreError) -> JSONText {
        var bytes = Array("[".utf8)
        try store.each("SELECT wire FROM messages WHERE session = ? ORDER BY number", [.integer(session)]) { row in
            if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
            row.append(0, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
        return JSONText(trusted: bytes)
    }

    /// All messages in the engine's inner form.
    static func raw(session: Int64, in store: Connection) throws(StoreError) -> JSONText {
        let messages = try store.all(
            "SELECT wire, role, created_ms FROM messages WHERE session = ? ORDER BY number",
            .integer(session)
        ) { row in
            (wire: JSONText(trusted: row.bytes(0)), role: row.text(1), created: row.integer(2))
        }
        return JSONWriter.array { writer in
            for message in messages {
                writer.object { writer in
                    writer.member("id", message.wire.at("info", "id")?.string ?? "")
                    writer.member("role", message.role)
                    writer.member(
                        "parts",
                        array: { writer in
                            for part in message.wire["parts"]?.elements ?? [] { writeRaw(part, to: &writer) }
                        }
                    )
                    writer.member("created_at", Timestamp.text(milliseconds: message.created))
                }
            }
        }
    }

    /// Calls of tools have another name in the inner form.
    private static func writeRaw(_ part: JSONText, to writer: inout JSONWriter) {
        guard part["type"]?.string == "tool" else { return writer.value(part) }
        writer.object { writer in
            writer.member("type", "tool_invocation")
            for (key, value) in part.members where key != "type" { writer.member(key, value) }
        }
    }

    struct Conversation {
        /// The oldest first.
        var messages: [ModelMessage] = []
        var dropped = 0
    }

    /// How far messages that are left out are counted: the number is for information only.
    private static let countedMessages: Int64 = 1_000

    /// What was said so far, as far as it fits beside a prompt of so many characters.
    static func conversation(
        session: Int64,
        _ window: ContextMode.Window,
        beside prompt: Int,
        in store: Connection
    ) throws(StoreError) -> Conversation {
        let total = try store.first(
            "SELECT count(*) FROM (SELECT 1 FROM messages WHERE session = ? AND kind = 0 LIMIT ?)",
            .integer(session),
            .integer(countedMessages)
        ) { Int($0.integer(0)) }
        var left = window.characters == ContextMode.fullCharacters ? Int.max : window.characters - prompt
        var kept: [[ModelMessage]] = []
        let found = try store.all(
            """
            SELECT role, wire, model_text, number, has_tools FROM messages
            WHERE session = ? AND kind = 0 ORDER BY number DESC LIMIT ?
            """,
            .integer(session),
            .integer(Int64(window.messages - 1))
        ) { row in
            (
                message: ModelMessage(
                    ModelMessage.Role(rawValue: row.text(0)) ?? .user,
                    row.optionalText(2) ?? text(JSONText(trusted: row.bytes(1)))
                ),
                withTools: row.boolean(4) ? row.integer(3) : nil
            )
        }
        for (message, withTools) in found {
            var said = [message]
            if let withTools { said += try ToolCallStore.conversation(after: withTools, in: store) }
            left -= left == .max ? 0 : said.reduce(0) { $0 + $1.length }
            if left < 0 { break }
            kept.append(said)
        }
        return Conversation(messages: kept.reversed().flatMap { $0 }, dropped: max(0, (total ?? 0) - kept.count))
    }

    static func text(_ wire: JSONText) -> String {
        (wire["parts"]?.elements ?? []).compactMap { $0["text"]?.string }.joined(separator: "\n")
    }
}

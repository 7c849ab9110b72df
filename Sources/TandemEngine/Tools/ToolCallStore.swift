internal import TandemJSON
internal import TandemProviders
internal import TandemStore

/// The table of tool calls: each is written before it is made, and again when it has ended.
enum ToolCallStore {
    static let migrations = [
        Migration(
            2,
            """
            CREATE TABLE tool_calls (
                number INTEGER PRIMARY KEY,
                run INTEGER NOT NULL,
                serial INTEGER NOT NULL,
                message INTEGER NOT NULL,
                round INTEGER NOT NULL,
                call_id TEXT NOT NULL,
                tool TEXT NOT NULL,
                args TEXT NOT NULL,
                said TEXT NOT NULL,
                state TEXT NOT NULL,
                model_text TEXT
            );
            CREATE INDEX tool_calls_of_message ON tool_calls (message);
            CREATE INDEX open_tool_calls ON tool_calls (run) WHERE state = 'started';
            ALTER TABLE messages ADD COLUMN has_tools INTEGER NOT NULL DEFAULT 0
            """
        )
    ]

    static func insert(
        _ call: ToolCall,
        said: String,
        run: Int64,
        message: Int64,
        into store: Connection
    ) throws(StoreError) {
        try store.run(
            """
            INSERT INTO tool_calls (run, serial, message, round, call_id, tool, args, said, state)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'started')
            """,
            .integer(run),
            .integer(Int64(call.serial)),
            .integer(message),
            .integer(Int64(call.round)),
            .text(call.id),
            .text(call.name),
            .text(call.arguments.text),
            .text(said)
        )
    }

    /// Writes how a call ended, for the model and into the user's message.
    static func end(
        _ call: ToolCall,
        _ outcome: ToolOutcome,
        run: Int64,
        message: Int64,
        in store: Connection
    ) throws(StoreError) {
        try store.run(
            "UPDATE tool_calls SET state = ?, model_text = ? WHERE message = ? AND run = ? AND serial = ?",
            .text(outcome.state.rawValue),
            .text(outcome.modelText),
            .integer(message),
            .integer(run),
            .integer(Int64(call.serial))
        )
        let part = JSONWriter.object { writer in
            writer.member("type", "tool")
            writer.member("tool", call.name)
            writer.member("args", call.arguments)
            writer.nullable("result", outcome.result)
            writer.nullable("error", outcome.error)
        }
        try MessageStore.append(part, to: message, in: store)
    }

    /// A call that was begun and has no end.
    struct Open {
        let message: Int64
        let call: ToolCall
    }

    /// Ends the calls of a run that is over and could not end them itself.
    static func close(run: Int64, _ outcome: ToolOutcome, in store: Connection) throws(StoreError) -> [Open] {
        let calls = try open(run: run, in: store)
        for call in calls { try end(call.call, outcome, run: run, message: call.message, in: store) }
        return calls
    }

    private static func open(run: Int64, in store: Connection) throws(StoreError) -> [Open] {
        try store.all(
            """
            SELECT message, serial, call_id, tool, args, round FROM tool_calls
            WHERE run = ? AND state = 'started' ORDER BY number
            """,
            .integer(run)
        ) { row in
            Open(
                message: row.integer(0),
                call: ToolCall(
                    serial: Int(row.integer(1)),
                    id: row.text(2),
                    name: row.text(3),
                    arguments: JSONText(trusted: Array(row.text(4).utf8)),
                    round: Int(row.integer(5))
                )
            )
        }
    }

    /// What was said between the model and its tools after a user's message, in the model's own form.
    static func conversation(after message: Int64, in store: Connection) throws(StoreError) -> [ModelMessage] {
        let rows = try store.all(
            """
            SELECT round, said, call_id, tool, args, model_text FROM tool_calls
            WHERE message = ? AND state <> 'started' ORDER BY number
            """,
            .integer(message)
        ) { row in
            (
                round: row.integer(0), said: row.text(1),
                call: ModelToolCall(id: row.text(2), name: row.text(3), arguments: row.text(4)),
                result: row.text(5)
            )
        }
        var messages: [ModelMessage] = []
        var rest = rows[...]
        while let first = rest.first {
            let turn = rest.prefix { $0.round == first.round }
            messages.append(ModelMessage(first.said, calling: turn.map(\.call)))
            messages += turn.map { ModelMessage($0.result, resultOf: $0.call.id) }
            rest = rest.dropFirst(turn.count)
        }
        return messages
    }
}

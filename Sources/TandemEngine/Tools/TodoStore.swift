internal import TandemJSON
internal import TandemStore

/// The to-do list of each session.
enum TodoStore {
    static let migrations = [
        Migration(2, "CREATE TABLE todos (session_id TEXT PRIMARY KEY, items BLOB NOT NULL) WITHOUT ROWID")
    ]

    static func items(of sessionID: String, in store: Connection) throws(StoreError) -> JSONText {
        try store.first("SELECT items FROM todos WHERE session_id = ?", .text(sessionID)) {
            JSONText(trusted: $0.bytes(0))
        } ?? .emptyArray
    }

    static func set(_ items: JSONText, of sessionID: String, in store: Connection) throws(StoreError) {
        try store.run(
            "INSERT INTO todos (session_id, items) VALUES (?, ?) ON CONFLICT (session_id) DO UPDATE SET items = excluded.items",
            .text(sessionID),
            .blob(Array(items.bytes))
        )
    }

    /// The list that a model gives, each item with an id and a status; items without content are left out.
    static func list(_ arguments: JSONText) -> JSONText? {
        guard let given = arguments["todos"], given.kind == .array else { return nil }
        return JSONWriter.array { writer in
            var count = 0
            for item in given.elements {
                guard let content = item["content"]?.string ?? item["text"]?.string ?? item.string,
                    !content.allSatisfy(\.isWhitespace)
                else { continue }
                count += 1
                writer.object { writer in
                    writer.member("id", item["id"]?.string ?? "todo-\(count)")
                    writer.member("content", content)
                    writer.member("status", item["status"]?.string ?? "pending")
                }
            }
        }
    }
}

internal import TandemJSON
internal import TandemStore

/// Questions that wait for an answer.
struct QuestionRecord: Equatable, Sendable {
    let id: String
    let sessionID: String
    let run: Int64
    /// The number of the tool call in its run.
    let serial: Int
    let questions: JSONText
    let messageID: String
    let callID: String
    let expiresMilliseconds: Int64
}

/// The table of open questions: a row goes when it is answered or its run is over.
enum QuestionStore {
    static let migrations = [
        Migration(
            2,
            """
            CREATE TABLE questions (
                number INTEGER PRIMARY KEY,
                id TEXT NOT NULL UNIQUE,
                session_id TEXT NOT NULL,
                run INTEGER NOT NULL,
                serial INTEGER NOT NULL,
                questions TEXT NOT NULL,
                message_id TEXT NOT NULL,
                call_id TEXT NOT NULL,
                expires_ms INTEGER NOT NULL
            );
            CREATE INDEX questions_of_session ON questions (session_id)
            """
        )
    ]

    static func insert(_ question: QuestionRecord, into store: Connection) throws(StoreError) {
        try store.run(
            """
            INSERT INTO questions (id, session_id, run, serial, questions, message_id, call_id, expires_ms)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .text(question.id),
            .text(question.sessionID),
            .integer(question.run),
            .integer(Int64(question.serial)),
            .text(question.questions.text),
            .text(question.messageID),
            .text(question.callID),
            .integer(question.expiresMilliseconds)
        )
    }

    static func delete(_ id: String, from store: Connection) throws(StoreError) {
        try store.run("DELETE FROM questions WHERE id = ?", .text(id))
    }

    static func delete(run: Int64, from store: Connection) throws(StoreError) {
        try store.run("DELETE FROM questions WHERE run = ?", .integer(run))
    }

    static func find(_ id: String, in store: Connection) throws(StoreError) -> QuestionRecord? {
        try store.first("\(columns) WHERE id = ?", .text(id), row: question)
    }

    /// The earliest first.
    static func all(in store: Connection) throws(StoreError) -> [QuestionRecord] {
        try store.all("\(columns) ORDER BY number", row: question)
    }

    private static let columns = """
        SELECT id, session_id, run, serial, questions, message_id, call_id, expires_ms FROM questions
        """

    private static func question(_ row: borrowing Row) -> QuestionRecord {
        QuestionRecord(
            id: row.text(0),
            sessionID: row.text(1),
            run: row.integer(2),
            serial: Int(row.integer(3)),
            questions: JSONText(trusted: Array(row.text(4).utf8)),
            messageID: row.text(5),
            callID: row.text(6),
            expiresMilliseconds: row.integer(7)
        )
    }
}

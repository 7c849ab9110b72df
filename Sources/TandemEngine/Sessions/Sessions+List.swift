internal import TandemContract
internal import TandemJSON
internal import TandemStore

extension Sessions {
    private static let defaultPageSize: Int64 = 20

    /// The latest changed first, without messages.
    @Sendable static func list(_ reading: Reading, _ request: Request) throws(Halt) -> Reply {
        let page = max(1, try request.whole("page") ?? 1)
        let size = max(1, try request.whole("page_size") ?? defaultPageSize)
        let isArchived = try request.flag("archived")
        let scope = try request.word("scope", of: ["workspace", "global"])
        let (skipped, overflow) = (page - 1).multipliedReportingOverflow(by: size)
        if overflow { return .json(.emptyArray) }
        var place = request.query("workspace").map {
            Path.normalized($0, in: reading.context.workspace ?? reading.context.workingDirectory)
        }
        if place == nil && scope != "global" { place = reading.context.workspace }
        var bytes = Array("[".utf8)
        try stored { () throws(StoreError) in
            try reading.connection.each(
                """
                SELECT wire FROM sessions
                WHERE (?1 IS NULL OR archived = ?1) AND (?2 IS NULL OR workspace_root = ?2 OR directory = ?2)
                    AND (?3 IS NULL OR source = ?3) AND (?4 IS NULL OR instr(search, ?4) > 0)
                ORDER BY updated_ms DESC, number DESC LIMIT ?5 OFFSET ?6
                """,
                [
                    isArchived.map { .integer($0) } ?? .null, .text(place),
                    .text(request.query("source").map(SessionRecord.normalizedSource)),
                    .text(request.query("q").map { $0.lowercased() }), .integer(size), .integer(skipped),
                ]
            ) { row in
                if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
                row.append(0, to: &bytes)
                bytes += SessionRecord.wireEnd
            }
        }
        bytes.append(UInt8(ascii: "]"))
        return .json(JSONText(trusted: bytes))
    }
}

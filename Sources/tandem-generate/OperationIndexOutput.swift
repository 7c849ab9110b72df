/// `docs/operations.md`: the rules that all operations share, and an index by namespace.
enum OperationIndexOutput {
    static func make(_ contract: Contract) -> Output {
        let count = contract.operations.count
        let inside = contract.operations.count { $0.has("embedded") }
        var lines = [
            "# Operations", "",
            "\(count) operations in \(contract.namespaces.count) namespaces, a page for each. The engine inside the library",
            "(*embedded*) has \(inside) of them, a tandem-engine over HTTP (*remote*) all but those marked *enterprise*.",
        ]
        lines += rules
        lines += ["", "## Namespaces", ""]
        lines += Markdown.table(
            ["namespace", "operations", "embedded", ""],
            contract.namespaces.map { namespace in
                let operations = contract.operations(in: namespace.name)
                let inside = operations.count { $0.has("embedded") }
                return [
                    Markdown.link(namespace.name, OperationPageOutput.path(namespace.name)), String(operations.count),
                    inside == 0 ? "" : String(inside), Markdown.escaped(namespace.summary),
                ]
            }
        )
        lines += ["", "## Index", ""]
        for namespace in contract.namespaces {
            let page = OperationPageOutput.path(namespace.name)
            let links = contract.operations(in: namespace.name).map { operation in
                Markdown.link(operation.name, page + Markdown.anchor(operation.fullName))
                    + (operation.has("embedded") ? "*" : "")
            }
            lines += ["**\(namespace.name)** " + links.joined(separator: " · "), ""]
        }
        lines.append("\\* the embedded engine has it too.")
        return Markdown.page("docs/operations.md", lines)
    }

    private static let rules = [
        "", "## How an operation is called", "",
        "From C by its own function or by name; both take the arguments as one JSON object (NULL: none) and return",
        "`{\"ok\": RESULT}` or `{\"error\": {…}}`, which is the caller's to free. [`tandem.h`](../include/tandem.h) is the manual.",
        "", "    char *reply = tandem_sessions_get(client, \"{\\\"session_id\\\":\\\"…\\\"}\");",
        "    char *same = tandem_call(client, \"sessions.get\", \"{\\\"session_id\\\":\\\"…\\\"}\");", "",
        "From Python by a method, blocking with `SyncTandemClient` and awaited with `TandemClient`. Results are records: their",
        "members are attributes and items. Where a page says *Python returns*, the method gives only that part of the result.",
        "", "    session = client.sessions.get(\"…\")", "",
        "**Arguments** are flat, whether they travel in the path, the query, a header or the body. A name that the operation",
        "does not know is the error `unknown_argument`; whether a value is acceptable is for the engine to judge. *Also* names",
        "other spellings that are taken. Types in capitals are on the page of [types](types.md). Each call may also have the",
        "options that begin with `$`: `$timeout_ms`, `$tag`, `$take`, `$strict` and so on; `tandem.h` lists them.", "",
        "**Results** keep whatever the engine gives; *added* are documented names beside the engine's own. Where a page says",
        "*Pages*, the option `$all` gives all pages of a list as one result: at most 100,000 items.", "",
        "**Errors** have a name that is the same for all engines ([errors](errors.md)). A page lists the codes of the engine that",
        "an operation is known to give, each with that name; the code itself is in `detail.code`. Beside them any operation may",
        "give the errors of arguments (`invalid_argument`, `unknown_argument`, `invalid_json`), of the connection",
        "(`engine_unavailable`, `engine_starting`, `unauthorized`, `protocol`, `tls`), of limits (`limit`, `payload_too_large`,",
        "`rate_limited`), and `timeout`, `cancelled`, `closed`, `forked`, `not_supported`, `internal`.", "",
        "**Streams** hand out [events](events.md), one by one when submitted, as `{\"events\": […], \"ended\": bool}` from a blocking call.",
        "",
        "**Engines.** *embedded: no* means that the engine inside answers `not_supported`. *remote: enterprise edition* means that",
        "other builds of the engine have no such route, which is `not_supported` too.", "",
        "**Documented forms.** What the product's documentation or its clients say and the engine takes otherwise is translated;",
        "[compatibility](compatibility.md) has every case.", "",
        "## Sizes and units", "",
        "- Names carry their unit: `…_ms` milliseconds, `…_at_ms` Unix time in milliseconds, `…_seconds`, `…_hours`, `…_bytes`.",
        "  `time.created` and `time.updated` of a session are Unix seconds.",
        "- A call has 20,000 ms, `sessions.prompt_sync` and `sessions.run` 615,000 ms; `$timeout_ms` says otherwise, -1 is no limit.",
        "  A stream counts as broken after 25,000 ms of silence (`idle_timeout_ms`).",
        "- An engine refuses request bodies over 2 MiB (`payload_too_large`). A reply may be 64 MiB (`reply_limit_bytes`), an event",
        "  8 MiB (`event_limit_bytes`), JSON 128 levels deep.",
        "- A text is UTF-8. Bytes come as `{\"base64\": TEXT}`.",
    ]
}

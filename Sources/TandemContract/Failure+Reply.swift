internal import CTandemTable
internal import TandemJSON

// Which failure a reply or a failed run means: the rules are data (contract/errors.json).
extension Failure {
    /// nil where the reply is no refusal; strictly, `ok: false` always is one, and a text `error` beside status 200 none.
    ///
    /// Else it is one unless the operation's recipe calls it an answer.
    package init?(_ reply: Reply, of operation: Operation, isStrict: Bool = false) {
        let body = reply.json.flatMap { $0.kind == .object ? $0 : nil }
        let isRefusal = reply.status >= 400
        // Looked for only where it counts: replies may be long, and a refusal is short.
        let mayRefuse = isStrict || operation.refusesWithOkFalse || body?.bytes.count ?? 0 <= Failure.longestRefusal
        var saysNo: Bool { mayRefuse && body?["ok"]?.boolean == false }
        var saysWhy: Bool { operation.refusesWithOkFalse && body?["error"]?.string != nil }
        let isRefusedWithOk =
            isStrict ? saysNo : operation.recipe != "ok_false_is_an_answer" && (saysNo || saysWhy)
        guard isRefusal || isRefusedWithOk else { return nil }
        let code = body?["code"]?.string
        let said = Failure.said(body) ?? Failure.plainText(reply)
        let evidence = Evidence(
            code: code,
            status: reply.status,
            message: said ?? "",
            body: body,
            isEnterprise: operation.isEnterprise
        )
        let name = evidence.name ?? (isRefusal ? .engineError : .refused)
        self.init(
            name,
            said ?? code ?? "\(operation.name): \(name.summary) (status \(reply.status))",
            status: reply.status,
            isRetryable: body?["retryable"]?.boolean,
            detail: Failure.detail(body, reply.retryAfterMilliseconds)
        )
    }

    private static let longestRefusal = 16_384

    /// The engine's words: most routes have an `error`, those that refuse a tool or put off a sign-in have one of the others.
    private static func said(_ body: JSONText?) -> String? {
        [["error"], ["error", "message"], ["message"], ["reason"]].lazy.compactMap { body?.at($0)?.string }
            .first { !$0.isEmpty }
    }

    private static func detail(_ body: JSONText?, _ retryAfterMilliseconds: Int64?) -> JSONText? {
        guard let milliseconds = retryAfterMilliseconds else { return body }
        return (body ?? .emptyObject).adding("retry_after_ms", JSONText(trusted: Array(String(milliseconds).utf8)))
    }

    private static func plainText(_ reply: Reply) -> String? {
        if case .text(let text) = reply.body, !text.isEmpty { String(text.prefix(1_000)) } else { nil }
    }

    /// What a run's engine code, message and category mean.
    package static func name(runCode code: String?, message: String, category: String?) -> FailureName {
        Evidence(code: code, status: nil, message: message, body: nil, category: category, isEnterprise: false).name
            ?? .engineError
    }
}

/// What is known of a refusal.
private struct Evidence {
    let code: String?
    let status: Int?
    let message: String
    let body: JSONText?
    var category: String?
    let isEnterprise: Bool

    /// In the order of contract/README.md: conditional code, code, longest pattern, run category, status.
    var name: FailureName? {
        best { $0.isConditional ? 1 : nil } ?? best { $0.isConditional || $0.isPattern ? nil : 1 }
            ?? best { $0.isConditional || !$0.isPattern ? nil : $0.pattern.utf8.count } ?? byCategory ?? byStatus
    }

    private var byCategory: FailureName? {
        guard let category else { return nil }
        return unsafe first { row in unsafe Table.texts(row.run_categories).contains(category) }
    }

    private var byStatus: FailureName? {
        guard let status else { return nil }
        return unsafe first { row in
            unsafe UnsafeBufferPointer(start: row.statuses, count: Int(row.status_count)).contains(Int32(status))
        }
    }

    private func first(_ matches: (libtandem_error) -> Bool) -> FailureName? {
        let names = FailureName.allCases
        return (0..<Int(libtandem_error_count)).first { unsafe matches(libtandem_error_table()[$0]) }.map { names[$0] }
    }

    /// The name with the matching rule of the highest rank; a rule without a rank is passed over.
    private func best(_ rank: (Rule) -> Int?) -> FailureName? {
        var found: (name: FailureName, rank: Int)?
        for (index, name) in FailureName.allCases.enumerated() where index < Int(libtandem_error_count) {
            let row = unsafe libtandem_error_table()[index]
            for position in 0..<Int(unsafe row.code_count) {
                let rule = unsafe Rule(row.codes[position])
                guard let rank = rank(rule), rank > found?.rank ?? 0, matches(rule) else { continue }
                found = (name, rank)
            }
        }
        return found?.name
    }

    private func matches(_ rule: Rule) -> Bool {
        if !rule.pattern.isEmpty {
            guard let code, rule.matches(code) else { return false }
        }
        if let status = rule.status, status != self.status { return false }
        if let name = rule.has, body?[name] == nil { return false }
        if let name = rule.lacks, body?[name] != nil { return false }
        if let start = rule.messageStarts, !message.hasPrefix(start) { return false }
        return rule.edition == nil || isEnterprise
    }
}

/// One condition on an engine's code, out of the table.
private struct Rule {
    let pattern: String
    let status: Int?
    let has: String?
    let lacks: String?
    let messageStarts: String?
    let edition: String?

    init(_ row: libtandem_engine_code) {
        pattern = unsafe Table.text(row.code) ?? ""
        status = unsafe row.status == 0 ? nil : Int(row.status)
        has = unsafe Table.text(row.has)
        lacks = unsafe Table.text(row.lacks)
        messageStarts = unsafe Table.text(row.message_starts)
        edition = unsafe Table.text(row.edition)
    }

    var isConditional: Bool { status != nil || has != nil || lacks != nil || messageStarts != nil || edition != nil }
    var isPattern: Bool { pattern.hasPrefix("*") || pattern.hasSuffix("*") }

    func matches(_ code: String) -> Bool {
        if pattern.hasPrefix("*") { return code.hasSuffix(pattern.dropFirst()) }
        if pattern.hasSuffix("*") { return code.hasPrefix(pattern.dropLast()) }
        return code == pattern
    }
}

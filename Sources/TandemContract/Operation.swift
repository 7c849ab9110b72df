internal import CTandemTable
package import TandemJSON
internal import TandemSystem

/// One operation of the contract: what the generated table says of it, as Swift values.
///
/// Made when first used and kept: most programs use a handful of the operations.
package final class Operation: Sendable {
    package struct Argument: Sendable {
        package enum Place: Sendable { case path, query, header, body, client }

        package let name: String
        package let wire: String
        /// The name and all that stand for it.
        package let names: [String]
        package let place: Place
        package let isRequired: Bool
        /// What is sent always; the caller has no say.
        package let constant: JSONText?
        package let adapt: String?
    }

    package enum Response: Sendable { case json, serverSentEvents, jsonLines, text, binary }

    /// Whether a request may be sent again when nobody knows what became of it.
    package enum Retry: Sendable { case safe, keyed, never }

    /// A piece of the path's template, in order.
    package enum PathPiece: Sendable, Equatable {
        case literal(String)
        case argument(String, keepsSlashes: Bool)
    }

    package enum Body: Sendable, Equatable { case fields, payload, wrapped(String) }

    package struct NameRule: Sendable {
        package let documented: [String]
        package let source: Source

        package enum Source: Sendable {
            /// Paths to look at, in this order.
            case paths([[String]])
            case constant(JSONText)
        }
    }

    package struct ResultRule: Sendable {
        package let take: [String]?
        package let list: String?
        package let each: String?
        package let names: [NameRule]

        package var isIdentity: Bool { take == nil && list == nil && names.isEmpty }
    }

    package let number: OperationNumber
    package let name: String
    /// Empty for an operation that no engine has.
    package let method: String
    package let path: [PathPiece]
    package let arguments: [Argument]
    package let body: Body
    package let isBodyRequired: Bool
    package let response: Response
    package let retry: Retry
    package let recipe: String?
    package let refusesWithOkFalse: Bool
    package let isEnterprise: Bool
    /// No engine has it: the library makes it of others.
    package let isOwn: Bool
    package let result: ResultRule
    package let isStream: Bool
    /// A stream that ends when its run does.
    package let endsWithRun: Bool
    /// How its list comes in pages; nil: at once.
    package let pages: Pages?
    /// The whole entry of the contract as JSON.
    package let description: JSONText

    fileprivate init(_ number: OperationNumber, _ row: libtandem_operation) {
        self.number = number
        name = unsafe Table.text(row.name) ?? ""
        method = unsafe Table.text(row.method) ?? ""
        path = unsafe Operation.pieces(Table.text(row.path) ?? "")
        arguments = unsafe UnsafeBufferPointer(start: row.arguments, count: Int(row.argument_count)).map {
            unsafe Argument($0)
        }
        switch unsafe row.body {
        case LIBTANDEM_BODY_PAYLOAD: body = .payload
        case LIBTANDEM_BODY_WRAPPED: body = unsafe .wrapped(Table.text(row.body_key) ?? "")
        default: body = .fields
        }
        isBodyRequired = unsafe row.body_required
        switch unsafe row.response {
        case LIBTANDEM_RESPONSE_SSE: response = .serverSentEvents
        case LIBTANDEM_RESPONSE_JSON_LINES: response = .jsonLines
        case LIBTANDEM_RESPONSE_TEXT: response = .text
        case LIBTANDEM_RESPONSE_BINARY: response = .binary
        default: response = .json
        }
        switch unsafe row.retry {
        case LIBTANDEM_RETRY_SAFE: retry = .safe
        case LIBTANDEM_RETRY_KEYED: retry = .keyed
        default: retry = .never
        }
        recipe = unsafe Table.text(row.recipe)
        refusesWithOkFalse = unsafe row.refuses_with_ok_false
        isEnterprise = unsafe row.enterprise
        isOwn = unsafe row.method == nil
        result = unsafe ResultRule(row.result)
        isStream = unsafe row.stream != nil
        endsWithRun = unsafe row.stream.map { unsafe $0.pointee.ends == LIBTANDEM_ENDS_RUN } ?? false
        description = unsafe Table.json(row.json) ?? .null
        pages = Pages(description["pages"])
    }

    /// Whether it has an argument of that name.
    func has(_ name: String) -> Bool { arguments.contains { $0.name == name } }

    /// The operation whose request is made in place of its own: a recipe that is an operation's name.
    package var delegate: Operation? { recipe.flatMap { $0.contains(".") ? Operation.named($0) : nil } }

    // Compared by Client, which knows which streams may go on for ever.
    /// Whether a call of it is a stream and nothing else: prompt_sync, which has a result too, is not.
    package var isOnlyStream: Bool { isStream && !ownsRun }

    /// Whether a call of it begins a run, waits for its end, and takes it along when it is stopped.
    package var ownsRun: Bool { recipe == "prompt_sync" || recipe == "run" }
}

extension Operation {
    /// "/a/{b}/{c...}" in pieces.
    static func pieces(_ template: String) -> [PathPiece] {
        var pieces: [PathPiece] = []
        for part in template.split(separator: "{", omittingEmptySubsequences: false) {
            guard let end = part.firstIndex(of: "}") else {
                if !part.isEmpty { pieces.append(.literal(String(part))) }
                continue
            }
            let name = part[..<end]
            let keepsSlashes = name.hasSuffix("...")
            pieces.append(.argument(String(keepsSlashes ? name.dropLast(3) : name), keepsSlashes: keepsSlashes))
            let rest = part[part.index(after: end)...]
            if !rest.isEmpty { pieces.append(.literal(String(rest))) }
        }
        return pieces
    }

    private static let made = Lock<[Operation?]>(Array(repeating: nil, count: count))

    package static var count: Int { Int(libtandem_operation_count) }

    /// The operation of that number; nil beyond the table.
    package static func numbered(_ number: OperationNumber) -> Operation? {
        guard number.rawValue >= 0, number.rawValue < count else { return nil }
        if let found = made.withLock({ $0[number.rawValue] }) { return found }
        let operation = unsafe Operation(number, libtandem_operation_table()[number.rawValue])
        made.withLock { $0[number.rawValue] = operation }
        return operation
    }

    /// The operation of that name ("sessions.create").
    package static func named(_ name: String) -> Operation? {
        // The table is sorted by name.
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            let order = unsafe Table.compare(libtandem_operation_table()[middle].name, name)
            if order == 0 { return numbered(OperationNumber(middle)) }
            if order < 0 { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The names of all operations, sorted.
    package static var allNames: [String] {
        (0..<count).map { unsafe Table.text(libtandem_operation_table()[$0].name) ?? "" }
    }

    /// The numbers of those that the contract says the embedded engine answers.
    package static var embedded: Set<OperationNumber> {
        Set((0..<count).filter { unsafe libtandem_operation_table()[$0].embedded }.map { OperationNumber($0) })
    }

    /// Events, errors and types of the contract, as JSON.
    package static func describe(_ what: String) -> JSONText? {
        switch what {
        case "events": unsafe Table.json(libtandem_events_json)
        case "errors": unsafe Table.json(libtandem_errors_json)
        case "types": unsafe Table.json(libtandem_types_json)
        case "ops":
            JSONWriter.array { writer in
                for name in allNames { writer.string(name) }
            }
        default:
            what.hasPrefix("op:") ? named(String(what.dropFirst(3)))?.description : nil
        }
    }
}

extension Operation.Argument {
    fileprivate init(_ row: libtandem_argument) {
        name = unsafe Table.text(row.name) ?? ""
        wire = unsafe Table.text(row.wire) ?? name
        var names = unsafe [name] + Table.texts(row.accepts)
        if !names.contains(wire) { names.append(wire) }
        self.names = names
        switch unsafe row.place {
        case LIBTANDEM_PLACE_PATH: place = .path
        case LIBTANDEM_PLACE_QUERY: place = .query
        case LIBTANDEM_PLACE_HEADER: place = .header
        case LIBTANDEM_PLACE_CLIENT: place = .client
        default: place = .body
        }
        isRequired = unsafe row.required
        constant = unsafe Table.json(row.constant)
        adapt = unsafe Table.text(row.adapt)
    }
}

extension Operation.ResultRule {
    fileprivate init(_ row: libtandem_result) {
        take = unsafe Table.text(row.take).map(Table.path)
        list = unsafe Table.text(row.list)
        each = unsafe Table.text(row.each)
        names = unsafe UnsafeBufferPointer(start: row.names, count: Int(row.name_count)).map {
            unsafe Operation.NameRule($0)
        }
    }
}

extension Operation.NameRule {
    fileprivate init(_ row: libtandem_name_rule) {
        documented = unsafe Table.path(Table.text(row.documented) ?? "")
        let rule = unsafe Table.json(row.rule) ?? .null
        source = rule.string.map { .paths($0.split(separator: "|").map { Table.path(String($0)) }) } ?? .constant(rule)
    }
}

/// Reading the generated C data.
enum Table {
    static func text(_ text: UnsafePointer<CChar>?) -> String? { unsafe text.map { unsafe String(cString: $0) } }

    static func texts(_ strings: libtandem_strings) -> [String] {
        unsafe UnsafeBufferPointer(start: strings.items, count: Int(strings.count)).compactMap { unsafe text($0) }
    }

    /// JSON that tandem-generate wrote: its own writer made it, so it is not checked again.
    static func json(_ text: UnsafePointer<CChar>?) -> JSONText? {
        unsafe self.text(text).map { JSONText(trusted: Array($0.utf8)) }
    }

    static func path(_ dotted: String) -> [String] { dotted.split(separator: ".").map(String.init) }

    /// Compares as strcmp does, without making a String of the table's name.
    static func compare(_ left: UnsafePointer<CChar>, _ right: String) -> Int {
        var index = 0
        for byte in right.utf8 {
            let other = unsafe UInt8(bitPattern: left[index])
            if other != byte { return Int(other) - Int(byte) }
            index += 1
        }
        return unsafe Int(UInt8(bitPattern: left[index]))
    }
}

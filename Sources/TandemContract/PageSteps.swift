internal import TandemJSON

/// How a list that comes in pages is read on: `pages` of its operation in the contract.
package struct Pages: Sendable {
    enum Order: Sendable {
        /// The pages are numbered from 1.
        case number
        /// So many items are passed over.
        case offset
        /// The member of a page that the next one begins after.
        case after(String)
    }

    let argument: String
    /// Another argument that says the same.
    let also: String?
    let size: String
    /// The member of a reply that holds the items; nil: the reply is the array.
    let items: String?
    let order: Order

    init?(_ entry: JSONText?) {
        guard let entry, let argument = entry["argument"]?.string, let size = entry["size"]?.string else { return nil }
        self.argument = argument
        self.size = size
        also = entry["also"]?.string
        items = entry["items"]?.string
        switch entry["counts"]?.string {
        case "pages": order = .number
        case "items": order = .offset
        default: order = .after(entry["next"]?.string ?? argument)
        }
    }
}

/// The option `$all`: page after page, until one is short.
struct PageSteps: CallSteps {
    /// More than any list that a program can want whole.
    static let limit = 100_000
    private static let usualSize: Int64 = 200

    private let pages: Pages
    private var request: Request
    private let byteLimit: Int64
    private let size: Int64
    private var position: Int64
    private var first: JSONText?
    private var found: [JSONText] = []
    private var seen: Set<String> = []
    private var byteCount: Int64 = 0

    init(_ pages: Pages, _ plan: Plan) {
        self.pages = pages
        request = plan.request
        byteLimit = plan.options.replyLimitBytes
        size = plan.request.query(pages.size).flatMap { Int64($0) } ?? Self.usualSize
        let start: Int64 = if case .number = pages.order { 1 } else { 0 }
        let given = [pages.argument, pages.also].lazy.compactMap { $0.flatMap(plan.request.query) }.first
        position = given.flatMap { Int64($0) } ?? start
    }

    mutating func begin() -> Step {
        request.query.removeAll { $0.name == pages.size }
        request.query.append(.init(pages.size, String(size)))
        return send()
    }

    mutating func next(_ result: Result<Reply, Failure>) -> Step {
        guard case .success(let reply) = result, reply.status < 400 else { return .end(result) }
        guard let page = reply.json, let items = pages.items.map({ page[$0] }) ?? page, items.kind == .array else {
            return .end(result)
        }
        let elements = items.elements
        add(elements)
        first = first ?? page
        if found.count > Self.limit || byteCount > byteLimit { return .end(.failure(tooMuch)) }
        // A page may be shorter than was asked for because the engine gives no longer ones; it says so then.
        guard !elements.isEmpty, Int64(elements.count) >= page["limit"]?.integer ?? size, advance(page, elements) else {
            return .end(.success(.json(whole(page))))
        }
        return send()
    }

    /// A list that changes while it is read shows some items twice.
    private mutating func add(_ elements: [JSONText]) {
        for element in elements {
            if let id = element["id"]?.string, !seen.insert(id).inserted { continue }
            found.append(element)
            byteCount += Int64(element.bytes.count)
        }
    }

    /// False where there is nothing to go on from.
    private mutating func advance(_ page: JSONText, _ elements: [JSONText]) -> Bool {
        let next: Int64? =
            switch pages.order {
            case .number: position.addingReportingOverflow(1).partialValue
            case .offset: position.addingReportingOverflow(Int64(elements.count)).partialValue
            case .after(let member): page[member]?.integer
            }
        guard let next, next > position else { return false }
        position = next
        return true
    }

    private mutating func send() -> Step {
        request.query.removeAll { $0.name == pages.argument || $0.name == pages.also }
        request.query.append(.init(pages.argument, String(position)))
        return .send(request)
    }

    /// The pages as one: the first one's members, and how far the last one came.
    private func whole(_ last: JSONText) -> JSONText {
        let all = JSONWriter.array(of: found)
        guard let items = pages.items, let first else { return all }
        var result = first.replacing(items, with: all)
        if result["count"] != nil { result = result.replacing("count", with: .integer(found.count)) }
        if case .after(let member) = pages.order, let reached = last[member] {
            result = result.setting(member, reached)
        }
        return result
    }

    private var tooMuch: Failure {
        Failure(
            .limit,
            found.count > Self.limit
                ? "$all found more than \(Self.limit) items" : "what $all found is longer than \(byteLimit) bytes"
        )
    }
}

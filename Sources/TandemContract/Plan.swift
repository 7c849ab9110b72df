package import TandemJSON

/// Arguments made into a request: pure, and the same for every backend.
package struct Plan: Sendable {
    package var request: Request
    package var options: CallOptions
    /// Only of `sessions.run`.
    package internal(set) var run: RunTerms?
    /// Whether the result names keys of resources as the caller writes them.
    private(set) var restoresKeys = false
    private(set) var filter: MemoryFilter?

    /// Checks the arguments' names and puts each where the engine takes it.
    ///
    /// Whether a value is acceptable is for the engine to judge. `now` is the time of the call, in milliseconds since 1970.
    package init(
        _ operation: Operation,
        _ arguments: JSONText,
        defaults: CallOptions = CallOptions(),
        now: Int64 = 0
    ) throws(Failure) {
        guard arguments.kind == .object else {
            throw Failure(.invalidArgument, "the arguments of \(operation.name) are no JSON object")
        }
        var planner = Planner(operation, defaults, now: now)
        try planner.readOptions(arguments)
        if planner.options.wantsAll, operation.pages == nil {
            throw Failure(.invalidArgument, "\(operation.name) does not come in pages: it has no $all")
        }
        if !planner.options.isStrict, let other = operation.delegate { planner.delegate(to: other) }
        let operation = planner.operation
        for argument in operation.arguments { try planner.place(argument) }
        try planner.finishBody()
        request = planner.request
        options = planner.options
        restoresKeys = !options.isStrict && operation.arguments.contains { $0.adapt == "resource_key" }
        filter = planner.filter
    }
}

struct Planner {
    private(set) var operation: Operation
    /// The operation that was called; another one's request may be made in its place.
    private let name: String
    let now: Int64
    var request: Request
    var options: CallOptions
    var filter: MemoryFilter?
    /// Arguments that nothing has claimed so far.
    var left: [(key: String, value: JSONText)] = []
    var wholeBody: JSONText?
    var body: [(key: String, value: JSONText)] = []
    /// Another form of the body: an argument that is one (`whole_body`).
    var givenBody: JSONText?
    /// Arguments of the body by the names that the caller gave them.
    private var bodyNames: [String] = []

    init(_ operation: Operation, _ options: CallOptions, now: Int64) {
        self.operation = operation
        name = operation.name
        self.now = now
        request = Request(operation.number)
        self.options = options
    }

    mutating func delegate(to other: Operation) {
        operation = other
        request = Request(other.number)
    }

    mutating func readOptions(_ arguments: JSONText) throws(Failure) {
        for (key, value) in arguments.members {
            guard key.utf8.first == UInt8(ascii: "$") else {
                left.append((key, value))
                continue
            }
            if key == "$body" {
                wholeBody = value
            } else if CallOptions.names.contains(key) {
                try options.set(String(key.dropFirst()), value)
            } else {
                throw Failure(unknownArgument: key, of: operation, called: name)
            }
        }
    }

    mutating func place(_ argument: Operation.Argument) throws(Failure) {
        if let constant = argument.constant {
            if let given = try take(argument), given != constant {
                throw Failure(.invalidArgument, "\(argument.name) of \(name) is always \(constant.text)")
            }
            put(argument, constant)
            return
        }
        if !options.isStrict, try takeTranslated(argument) { return }
        if argument.place == .body, operation.body != .fields {
            try renameInPayload(argument)
            return
        }
        guard let value = try take(argument) else {
            if argument.place == .path {
                throw Failure(.invalidArgument, "\(name) needs the argument \(argument.name)")
            }
            return
        }
        switch argument.place {
        case .path where value.isNull || value.string == "":
            throw Failure(.invalidArgument, "\(name) needs the argument \(argument.name): it is empty")
        case .client: try options.set(argument.name, value)
        default:
            put(argument, try adapted(argument, value))
            // Where the operation has no provider of its own, it belongs to the model's text.
            if argument.adapt == "model_text", !options.isStrict, value.kind == .string, !operation.has("provider") {
                left.removeAll { $0.key == "provider" }
            }
        }
    }

    /// Takes the argument out of what is left, under whichever of its names it was given.
    mutating func take(_ argument: Operation.Argument) throws(Failure) -> JSONText? {
        for name in argument.names {
            // An argument of that very name goes before another that accepts it.
            if name != argument.name, operation.arguments.contains(where: { $0.name == name }) { continue }
            guard let index = left.lastIndex(where: { $0.key == name }) else { continue }
            let value = left[index].value
            left.removeAll { $0.key == name }
            if argument.place == .body { bodyNames.append(name) }
            return value
        }
        return nil
    }

    private mutating func put(_ argument: Operation.Argument, _ value: JSONText) {
        switch argument.place {
        case .path: request.path.append(.init(argument.name, Planner.text(value)))
        case .query: if !value.isNull { request.query.append(.init(argument.wire, Planner.text(value))) }
        case .header: if !value.isNull { request.headers.append(.init(argument.wire, Planner.text(value))) }
        case .body: body.append((argument.wire, value))
        case .client: break
        }
    }

    /// In a body that is the caller's own object, other names of a key become the engine's, unless that is given as well.
    ///
    /// Strictly the object is sent as it is.
    private mutating func renameInPayload(_ argument: Operation.Argument) throws(Failure) {
        if wholeBody != nil || options.isStrict { return }
        let names = left.contains { $0.key == argument.wire } ? [argument.wire] : argument.names
        for index in left.indices where names.contains(left[index].key) {
            left[index] = (argument.wire, try adapted(argument, left[index].value))
        }
    }

    private func adapted(_ argument: Operation.Argument, _ value: JSONText) throws(Failure) -> JSONText {
        // A prompt may be a text even strictly: under its documented name it has no other form.
        guard let adapt = argument.adapt, !options.isStrict || adapt == "one_text_part" else { return value }
        return try Adapt.named(adapt, value, of: argument.name, siblings: left + body)
    }

    mutating func finishBody() throws(Failure) {
        if !options.isStrict, wholeBody == nil { try translateBody() }
        switch operation.body {
        case .fields:
            if let key = left.first?.key { throw Failure(unknownArgument: key, of: operation, called: name) }
            try requireAlone(bodyNames)
            request.body = wholeBody ?? object(body)
        case .payload:
            try requireAlone(bodyNames + left.map(\.key))
            request.body = wholeBody ?? object(body + left)
        case .wrapped(let key):
            try requireAlone(bodyNames + left.map(\.key))
            let inner = wholeBody ?? object(body + left)
            // Not twice when the caller wrapped it already, and whatever stands beside an object there stays.
            let isWrapped = inner[key]?.kind == .object || (inner.members.count == 1 && inner[key] != nil)
            request.body = isWrapped ? inner : JSONWriter.object { $0.member(key, inner) }
        }
        if !operation.isBodyRequired, wholeBody == nil, request.body == .emptyObject { request.body = nil }
    }

    /// `$body` is all of the body: a field beside it would be lost.
    private func requireAlone(_ fields: [String]) throws(Failure) {
        if wholeBody == nil || fields.isEmpty { return }
        throw Failure(
            .invalidArgument,
            "\(name) takes $body or fields of the body, not both; beside $body: \(fields.joined(separator: ", "))",
            detail: JSONWriter.object { writer in
                writer.member("arguments", array: { writer in for field in fields { writer.string(field) } })
            }
        )
    }

    private func object(_ members: [(key: String, value: JSONText)]) -> JSONText {
        members.isEmpty
            ? .emptyObject
            : JSONWriter.object { writer in
                for (key, value) in members { writer.member(key, value) }
            }
    }

    private static func text(_ value: JSONText) -> String { value.string ?? value.text }
}

extension Failure {
    /// called: the operation's name where another one's request is made in its place.
    init(unknownArgument name: String, of operation: Operation, called caller: String? = nil) {
        let known =
            name.hasPrefix("$")
            ? CallOptions.names.sorted() : operation.arguments.filter { $0.constant == nil }.map(\.name).sorted()
        let list = known.isEmpty ? "none" : known.joined(separator: ", ")
        self.init(
            .unknownArgument,
            "\(caller ?? operation.name) has no argument \(name); it has: \(list)",
            detail: JSONWriter.object { writer in
                writer.member("argument", name)
                writer.member("known", array: { writer in for name in known { writer.string(name) } })
            }
        )
    }
}

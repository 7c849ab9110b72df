package import TandemJSON

// A reply becomes a result: unwrapped, with the documented names beside the engine's, nothing dropped.
extension Operation {
    /// The result of a reply, or the failure that it says.
    package func result(of reply: Reply, isStrict: Bool = false) -> Result<JSONText, Failure> {
        if let failure = Failure(reply, of: self, isStrict: isStrict) { return .failure(failure) }
        switch reply.body {
        case .none: return .success(.null)
        case .text(let text): return .success(JSONText(string: text))
        case .bytes(let bytes):
            return .success(JSONWriter.object { $0.member("base64", Base64.encoded(bytes)) })
        case .json(let body): return .success(result.isIdentity ? body : result.applied(to: body))
        }
    }
}

extension Operation.ResultRule {
    /// Unwraps, lists and names, in this order.
    func applied(to body: JSONText) -> JSONText {
        var value = body
        if let take, let taken = body.at(take) {
            // A list keeps the reply around it, with the array under both of its names.
            value = list.map { taken.kind == .array ? body.adding($0, taken) : taken } ?? taken
        }
        if let list { value = listed(value, as: list) }
        guard !names.isEmpty else { return value }
        if value.kind == .array { return JSONWriter.array { writer in write(named: value.elements, to: &writer) } }
        guard value.kind == .object else { return value }
        guard let each, let items = value[each], items.kind == .array else { return named(value) }
        let list = JSONWriter.array { writer in write(named: items.elements, to: &writer) }
        return named(value.replacing(each, with: list), isAround: true)
    }

    private func listed(_ value: JSONText, as name: String) -> JSONText {
        switch value.kind {
        case .array:
            return JSONWriter.object { writer in
                writer.member(name, value)
                writer.member("count", value.elements.count)
            }
        case .object where value[name]?.kind == .array && value["count"] == nil:
            return value.adding("count", JSONText(trusted: Array(String(value[name]?.elements.count ?? 0).utf8)))
        default: return value
        }
    }

    private func write(named items: [JSONText], to writer: inout JSONWriter) {
        for item in items { writer.value(item.kind == .object ? named(item) : item) }
    }

    /// Constants are of the items: what stands around them gets the names of what it has.
    private func named(_ object: JSONText, isAround: Bool = false) -> JSONText {
        names.reduce(object) { object, rule in
            guard let value = rule.value(in: object), !isAround || !rule.isConstant else { return object }
            return object.adding(rule.documented[...], value)
        }
    }
}

extension Operation.NameRule {
    fileprivate var isConstant: Bool { if case .constant = source { true } else { false } }

    fileprivate func value(in object: JSONText) -> JSONText? {
        switch source {
        case .constant(let value): value
        case .paths(let paths): paths.lazy.compactMap { object.at($0) }.first
        }
    }
}

extension JSONText {
    /// Follows member names, and indices in arrays.
    package func at(_ path: [String]) -> JSONText? {
        var value = self
        for step in path {
            let next = value.kind == .array ? Int(step).flatMap { value.elements[safe: $0] } : value[step]
            guard let next else { return nil }
            value = next
        }
        return value
    }

    fileprivate func adding(_ path: ArraySlice<String>, _ value: JSONText) -> JSONText {
        guard let name = path.first else { return self }
        if path.count == 1 { return adding(name, value) }
        guard let inner = self[name], inner.kind == .object else { return self }
        return replacing(name, with: inner.adding(path.dropFirst(), value))
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

internal import TandemContract
internal import TandemJSON

/// The members of a body, read by type; a wrong type is the framework's 422, with the field's name.
struct Fields {
    let body: JSONText
    /// Where the object stands in the body, for messages.
    private let path: String

    /// The body itself: none is 415, no object 422.
    init(body: JSONText?) throws(Halt) {
        guard let body else {
            throw .reply(Reply(status: 415, body: .text("a JSON body is required")))
        }
        guard body.kind == .object else {
            throw .reply(Reply(status: 422, body: .text("the body has to be an object")))
        }
        self.init(body, path: "")
    }

    private init(_ body: JSONText, path: String) {
        self.body = body
        self.path = path
    }

    func refusal(_ name: String, _ reason: String) -> Reply {
        Reply(status: 422, body: .text("\(path)\(name): \(reason)"))
    }

    func string(_ names: String...) throws(Halt) -> String? {
        try read(names, "a string") { $0.string }
    }

    func required(_ names: String...) throws(Halt) -> String {
        guard let value = try read(names, "a string", { $0.string }) else {
            throw .reply(refusal(names.first ?? "", "is missing"))
        }
        return value
    }

    func boolean(_ names: String...) throws(Halt) -> Bool? {
        try read(names, "true or false") { $0.boolean }
    }

    func number(_ names: String...) throws(Halt) -> Double? {
        try read(names, "a number") { $0.number }
    }

    /// A whole number from 0 on.
    func count(_ names: String...) throws(Halt) -> Int? {
        try read(names, "a whole number from 0 to 4294967295") { value in
            value.integer.flatMap { UInt32(exactly: $0) }.map { Int($0) }
        }
    }

    /// One of some words.
    func word(_ names: String..., of words: [String]) throws(Halt) -> String? {
        try read(names, "one of " + words.joined(separator: ", ")) { value in
            value.string.flatMap { words.contains($0) ? $0 : nil }
        }
    }

    func strings(_ names: String...) throws(Halt) -> [String]? {
        try read(names, "an array of strings") { value in
            guard value.kind == .array else { return nil }
            let strings = value.elements.map(\.string)
            return strings.contains(nil) ? nil : strings.compactMap(\.self)
        }
    }

    /// Any value; null counts as none.
    func value(_ names: String...) -> JSONText? {
        names.lazy.compactMap { body[$0] }.first { !$0.isNull }
    }

    func object(_ names: String...) throws(Halt) -> Fields? {
        let name = names.first ?? ""
        return try read(names, "an object") { value in
            value.kind == .object ? Fields(value, path: "\(path)\(name).") : nil
        }
    }

    func objects(_ names: String...) throws(Halt) -> [Fields]? {
        let name = names.first ?? ""
        return try read(names, "an array of objects") { value in
            guard value.kind == .array else { return nil }
            let elements = value.elements
            guard elements.allSatisfy({ $0.kind == .object }) else { return nil }
            return elements.enumerated().map { Fields($1, path: "\(path)\(name)[\($0)].") }
        }
    }

    private func read<Value>(
        _ names: [String],
        _ expected: String,
        _ convert: (JSONText) -> Value?
    ) throws(Halt) -> Value? {
        for name in names {
            guard let value = body[name], !value.isNull else { continue }
            guard let converted = convert(value) else {
                throw .reply(refusal(name, "has to be \(expected), not \(value.kind)"))
            }
            return converted
        }
        return nil
    }
}

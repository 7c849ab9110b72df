/// One argument of an operation, its defaults filled in.
struct Argument {
    enum Place: String, CaseIterable { case path, query, header, body, client }

    let entry: Value
    let name: String
    let place: Place
    /// A path argument that keeps its slashes.
    let isWildcard: Bool

    var type: String { entry["type"]?.string ?? "string" }
    var wire: String { entry["wire"]?.string ?? name }
    var isRequired: Bool { entry["required"]?.isTrue == true }
    var accepts: [String] { entry["accepts"]?.strings ?? [] }
    var values: [String] { entry["enum"]?.strings ?? [] }
    var constant: Value? { entry["const"] }
    var defaultValue: Value? { entry["default"] }
    var form: String? { entry["form"]?.string }
    var adapt: String? { entry["adapt"]?.string }
    var summary: String? { entry["summary"]?.string }
}

/// One operation of the contract, its defaults filled in.
struct Operation {
    let namespace: String
    let name: String
    let file: String
    let actsForOwner: Bool
    let entry: Value
    let method: String?
    let path: String?
    /// Those of the path first, in the path's order.
    let arguments: [Argument]

    init(fullName: String, file: String, actsForOwner: Bool, entry: Value) {
        let parts = fullName.split(separator: ".", maxSplits: 1)
        namespace = String(parts.first ?? "")
        name = String(parts.last ?? "")
        self.file = file
        self.actsForOwner = actsForOwner
        self.entry = entry
        let request = entry["request"]?.string?.split(separator: " ", maxSplits: 1).map(String.init)
        method = request?.first
        path = request?.last
        arguments = Operation.arguments(entry["arguments"]?.elements ?? [], method: method, path: path)
    }

    var fullName: String { namespace + "." + name }
    var function: String { "tandem_" + namespace + "_" + name }
    var summary: String { entry["summary"]?.string ?? "" }
    var details: String? { entry["details"]?.string }
    var errors: [String] { entry["errors"]?.strings ?? [] }
    var recipe: String? { entry["recipe"]?.string }
    var response: String { entry["response"]?.string ?? "json" }
    var isEnterprise: Bool { entry["edition"]?.string == "enterprise" }
    var retry: String { entry["retry"]?.string ?? (method == "GET" ? "safe" : "never") }

    /// `fields`, `payload` or `wrapped`, and the key of the last.
    var body: (kind: String, key: String?) {
        let text = entry["body"]?.string ?? "fields"
        guard let colon = text.firstIndex(of: ":") else { return (text, nil) }
        return (String(text[..<colon]), String(text[text.index(after: colon)...]))
    }

    func has(_ flag: String) -> Bool { entry[flag]?.isTrue == true }

    /// The names in a path's braces.
    static func pathNames(_ path: String) -> [(name: String, isWildcard: Bool)] {
        path.split(separator: "{").dropFirst().compactMap { piece in
            guard let end = piece.firstIndex(of: "}") else { return nil }
            let name = String(piece[..<end])
            return name.hasSuffix("...") ? (String(name.dropLast(3)), true) : (name, false)
        }
    }

    private static func arguments(_ entries: [Value], method: String?, path: String?) -> [Argument] {
        let isRead = method == "GET" || method == "DELETE" || method == "HEAD"
        let elsewhere: Argument.Place = method == nil ? .client : isRead ? .query : .body
        let listed = entries.map { entry in
            Argument(
                entry: entry,
                name: entry["name"]?.string ?? "",
                place: entry["in"]?.string.flatMap(Argument.Place.init) ?? elsewhere,
                isWildcard: false
            )
        }
        let implied = Operation.pathNames(path ?? "").map { name, isWildcard in
            let entry = listed.first { $0.place == .path && $0.name == name }?.entry
            let plain: [Value.Member] = [
                .init(key: "name", value: .string(name)), .init(key: "type", value: .string("string")),
                .init(key: "required", value: .boolean(true)),
            ]
            return Argument(entry: entry ?? .object(plain), name: name, place: .path, isWildcard: isWildcard)
        }
        return implied + listed.filter { $0.place != .path }
    }
}

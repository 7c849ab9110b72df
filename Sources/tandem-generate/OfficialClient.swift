/// `contract/python.json`: what the engine's own Python client has, as facts about its surface.
struct OfficialClient {
    struct Parameter {
        let entry: Value

        var name: String { entry["name"]?.string ?? "" }
        var type: String { entry["type"]?.string ?? "any" }
        var isKeyword: Bool { entry["keyword"]?.isTrue == true }
        /// All keywords that no other parameter takes.
        var isRest: Bool { entry["rest"]?.isTrue == true }
        /// Whether "" and [] are no value for it.
        var dropsEmpty: Bool { entry["drops_empty"]?.isTrue == true }
        /// nil: the parameter is required.
        var defaultValue: Value? { entry["default"] }
        var isObject: Bool { type == "object" || type.first?.isUppercase == true }
    }

    struct Method {
        let entry: Value

        var parameters: [Parameter] { entry["parameters"]?.elements.map(Parameter.init) ?? [] }
        var returns: String { entry["returns"]?.string ?? "any" }
        /// What is sent for parameters without a value.
        var sends: Value { entry["sends"] ?? .object([]) }
        var sendsEmptyBody: Bool { entry["empty_body"]?.isTrue == true }
    }

    /// How one operation is read page by page.
    struct Pages {
        let operation: String
        let entry: Value

        func text(_ key: String) -> String { entry[key]?.string ?? "" }
        /// `list` is read by `iterate`, `list_goal_events` by `iterate_goal_events`.
        var name: String {
            let name = operation.split(separator: ".").last.map(String.init) ?? operation
            let rest = name.hasPrefix("list") ? String(name.dropFirst(4)) : "_" + name
            return "iterate" + rest
        }
    }

    let file: Value
    private let names: [String: String]

    init(_ contract: Contract) {
        file = contract.file("python")
        // An operation that the official client has under a second name only.
        let aliases = Alias.all(contract).map { ("\($0.namespace).\($0.operation)", "\($0.namespace).\($0.name)") }
        names = Dictionary(aliases) { first, _ in first }
    }

    /// Its own method, or that of the operation that answers it.
    func method(_ operation: Operation) -> Method? {
        let methods = file["methods"]
        let own = [operation.fullName, names[operation.fullName], operation.recipe].compactMap(\.self)
        return own.lazy.compactMap { methods?[$0] }.first.map(Method.init)
    }

    func pages(_ operation: String) -> Pages? {
        file["pages"]?[operation].map { Pages(operation: operation, entry: $0) }
    }

    var models: [Value.Member] { file["models"]?.members ?? [] }
    var unions: [Value.Member] { file["unions"]?.members ?? [] }
    /// Names that models had in earlier versions.
    var oldNames: [Value.Member] { file["old_names"]?.members ?? [] }
    var literals: [Value.Member] { file["literals"]?.members ?? [] }
}

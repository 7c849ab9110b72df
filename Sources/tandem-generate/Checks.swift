/// What must hold of the contract before anything is made from it.
struct Checks {
    let contract: Contract
    /// `TANDEM_` constants of `include/tandem.h`.
    let constants: [String: Int]
    private(set) var problems: [Problem]
    private let types: Set<String>
    private let operations: Set<String>

    init(_ contract: Contract, constants: [String: Int]) {
        self.contract = contract
        self.constants = constants
        problems = contract.problems
        types = Set(contract.types.map(\.key))
        operations = Set(contract.operations.map(\.fullName))
        for file in contract.files where file.isOperations { checkFile(file) }
        for operation in contract.operations { checkOperation(operation) }
        checkRoutes()
        checkTypes()
        checkErrors()
        checkEvents()
        checkCompatibility()
        checkWords()
    }

    private mutating func report(_ file: String, _ message: String) {
        problems.append(Problem(file: file, message: message))
    }

    private mutating func checkFile(_ file: ContractFile) {
        checkForm(file.value, .file, file.path, "the file")
        checkDoubles(file.value, file.path, "the file")
        let namespace = file.value["namespace"]?.string ?? ""
        let isClient = file.path == "contract/client.json"
        if !isClient, file.path != "contract/operations/\(namespace).json" {
            report(file.path, "namespace \(namespace) is not the file's name")
        }
        for member in file.value["operations"]?.members ?? [] {
            let parts = member.key.split(separator: ".", omittingEmptySubsequences: false)
            if parts.count != (isClient ? 2 : 1) || !parts.allSatisfy({ Checks.isName($0) }) {
                report(file.path, "\(member.key): no name of an operation")
            }
        }
    }

    private mutating func checkOperation(_ operation: Operation) {
        let place = operation.fullName
        let file = operation.file
        checkForm(operation.entry, .operation, file, place)
        checkOneOf(operation.entry["response"], ["sse", "json_lines", "text", "binary"], file, "\(place): response")
        checkOneOf(operation.entry["retry"], ["safe", "keyed", "never"], file, "\(place): retry")
        checkOneOf(operation.entry["edition"], ["enterprise"], file, "\(place): edition")
        checkRequest(operation)
        for argument in operation.entry["arguments"]?.elements ?? [] { checkArgument(argument, operation) }
        checkNames(operation)
        if let result = operation.entry["result"] {
            checkForm(result, .result, file, "\(place).result")
            checkType(result["type"]?.string, file, "\(place).result")
            if result["names"]?.members.contains(where: { $0.value.string == nil && !$0.value.elements.isEmpty }) == true {
                report(file, "\(place).result: a name is a path or a constant")
            }
        }
        if let stream = operation.entry["stream"] { checkStream(stream, operation) }
        if let recipe = operation.recipe, contract.file("recipes")[recipe] == nil, !operations.contains(recipe) {
            report(file, "\(place): no recipe \(recipe) in recipes.json")
        }
        for code in operation.errors where code.isEmpty || operation.errors.filter({ $0 == code }).count > 1 {
            report(file, "\(place): error \(code.isEmpty ? "without a name" : code + " is named twice")")
        }
    }

    private mutating func checkRequest(_ operation: Operation) {
        guard let request = operation.entry["request"]?.string else { return }
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
        let isForm = methods.contains(operation.method ?? "") && operation.path?.hasPrefix("/") == true
        if !isForm { report(operation.file, "\(operation.fullName): \(request) is no method and path") }
        let body = operation.body
        if !["fields", "payload"].contains(body.kind), body.kind != "wrapped" || body.key?.isEmpty != false {
            report(operation.file, "\(operation.fullName): body is neither payload nor wrapped:key")
        }
        let names = Operation.pathNames(request).map(\.name)
        if names.contains(where: { !Checks.isName($0[...]) }) || Set(names).count != names.count {
            report(operation.file, "\(operation.fullName): a name in \(request) is empty or stands there twice")
        }
    }

    private mutating func checkArgument(_ entry: Value, _ operation: Operation) {
        let name = entry["name"]?.string ?? "?"
        let place = "\(operation.fullName).\(name)"
        checkForm(entry, .argument, operation.file, place)
        checkType(entry["type"]?.string, operation.file, place)
        checkOneOf(entry["in"], Argument.Place.allCases.map(\.rawValue), operation.file, "\(place): in")
        if let adapt = entry["adapt"]?.string, contract.file("adapts")[adapt] == nil {
            report(operation.file, "\(place): no adapt \(adapt) in adapts.json")
        }
        if entry["in"]?.string == "path", !Operation.pathNames(operation.path ?? "").contains(where: { $0.name == name }) {
            report(operation.file, "\(place): the path has no {\(name)}")
        }
    }

    /// Each name and each alias belongs to one argument; arguments of different forms may share one.
    private mutating func checkNames(_ operation: Operation) {
        var owners: [String: String] = [:]
        for argument in operation.arguments {
            for name in [argument.name] + argument.accepts {
                let isShared = argument.form != nil || argument.adapt == "from_path"
                if let owner = owners[name], !isShared {
                    report(operation.file, "\(operation.fullName): \(name) belongs to \(owner) and \(argument.name)")
                }
                owners[name] = argument.name
            }
        }
    }

    private mutating func checkStream(_ stream: Value, _ operation: Operation) {
        let place = "\(operation.fullName).stream"
        checkForm(stream, .stream, operation.file, place)
        checkOneOf(stream["ends"], ["never", "run"], operation.file, "\(place): ends")
        checkOneOf(stream["resumes"], ["no", "cursor", "log"], operation.file, "\(place): resumes")
        if (stream["resumes"]?.string == "cursor") != (stream["cursor"] != nil) {
            report(operation.file, "\(place): resumes is cursor when there is a cursor, and only then")
        }
        guard let cursor = stream["cursor"] else { return }
        checkForm(cursor, .cursor, operation.file, "\(place).cursor")
        if !operation.arguments.contains(where: { $0.name == cursor["argument"]?.string }) {
            report(operation.file, "\(place): the cursor's argument is none of the operation's")
        }
    }

    /// Of the operations on one route, all but one say by a recipe why they stand there.
    private mutating func checkRoutes() {
        var first: [String: Operation] = [:]
        for operation in contract.operations where operation.recipe == nil {
            guard let method = operation.method, let path = operation.path else { continue }
            let pieces = path.split(separator: "/").map { $0.hasPrefix("{") ? $0.contains("...") ? "{...}" : "{}" : $0 }
            let route = method + " /" + pieces.joined(separator: "/")
            if let other = first[route] {
                report(operation.file, "\(operation.fullName): same route as \(other.fullName), without a recipe")
            }
            first[route] = operation
        }
    }
}

// What all checks share.
extension Checks {
    static func isName(_ text: Substring) -> Bool {
        text.first.map { $0.isLowercase } == true
            && text.utf8.allSatisfy {
                $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }

    fileprivate mutating func checkForm(_ value: Value, _ schema: Schema, _ file: String, _ place: String) {
        guard case .object(let members) = value else { return report(file, "\(place): no object") }
        for member in members {
            guard let kind = schema.kind(of: member.key) else {
                report(file, "\(place): unknown key \(member.key)")
                continue
            }
            if !Checks.fits(member.value, kind) { report(file, "\(place): \(member.key) is of the wrong kind") }
        }
        for key in schema.required where value[key] == nil { report(file, "\(place): no \(key)") }
    }

    private static func fits(_ value: Value, _ kind: Schema.Kind) -> Bool {
        switch (kind, value) {
        case (.any, _), (.flag, .boolean), (.object, .object), (.textOrNull, .null): true
        case (.text, .string(let text)), (.textOrNull, .string(let text)): !text.isEmpty
        case (.integer, .number): value.integer != nil
        case (.texts, .array(let elements)): elements.allSatisfy { $0.string != nil }
        case (.objects, .array(let elements)):
            elements.allSatisfy { if case .object = $0 { true } else { false } }
        default: false
        }
    }

    private mutating func checkOneOf(_ value: Value?, _ allowed: [String], _ file: String, _ place: String) {
        if let text = value?.string, !allowed.contains(text) {
            report(file, "\(place): \(text) is none of \(allowed.joined(separator: ", "))")
        }
    }

    /// Members that stand twice in an object, at any depth.
    fileprivate mutating func checkDoubles(_ value: Value, _ file: String, _ place: String) {
        var seen: Set<String> = []
        for member in value.members {
            if !seen.insert(member.key).inserted { report(file, "\(place): \(member.key) stands there twice") }
            checkDoubles(member.value, file, member.key)
        }
        for element in value.elements { checkDoubles(element, file, place) }
    }

    fileprivate mutating func checkType(_ type: String?, _ file: String, _ place: String) {
        guard var name = type?[...] else { return }
        while name.hasSuffix(">"), let start = name.firstIndex(of: "<"), ["array", "map"].contains(name[..<start]) {
            name = name[name.index(after: start)...].dropLast()
        }
        let basic = ["string", "integer", "number", "boolean", "object", "any", "null"]
        if !basic.contains(String(name)), !types.contains(String(name)) { report(file, "\(place): no type \(name)") }
    }
}

// The files beside the operations.
extension Checks {
    private mutating func checkTypes() {
        for (file, types) in [("types", contract.file("types")), ("client", contract.file("client")["types"] ?? .null)] {
            for type in types.members { checkType(type, "contract/\(file).json") }
        }
        checkDoubles(contract.file("types"), "contract/types.json", "the file")
    }

    private mutating func checkType(_ type: Value.Member, _ file: String) {
        checkForm(type.value, .type, file, type.key)
        for base in type.value["includes"]?.strings ?? [] { checkType(base, file, type.key) }
        checkFields(type.value, file, type.key)
        for variant in type.value["variants"]?.elements ?? [] {
            checkForm(variant, .variant, file, type.key)
            checkFields(variant, file, "\(type.key).\(variant["name"]?.string ?? "?")")
        }
    }

    private mutating func checkFields(_ value: Value, _ file: String, _ place: String) {
        for field in value["fields"]?.elements ?? [] {
            let name = "\(place).\(field["name"]?.string ?? "?")"
            checkForm(field, .argument, file, name)
            checkType(field["type"]?.string, file, name)
        }
    }

    private mutating func checkErrors() {
        let file = "contract/errors.json"
        for error in contract.file("errors").members {
            if !Checks.isName(error.key[...]) { report(file, "\(error.key): no name of an error") }
            checkForm(error.value, .error, file, error.key)
            if let constant = error.value["constant"]?.string, constants[constant] != error.value["value"]?.integer {
                report(file, "\(error.key): tandem.h has another value of \(constant), or none")
            }
            for code in error.value["engine_codes"]?.elements ?? [] where code.string == nil {
                checkForm(code, .engineCode, file, "\(error.key).engine_codes")
            }
            if error.value["statuses"]?.elements.contains(where: { $0.integer == nil }) == true {
                report(file, "\(error.key): a status is a number")
            }
        }
        checkDoubles(contract.file("errors"), file, "the file")
    }

    private mutating func checkEvents() {
        let file = "contract/events.json"
        let events = contract.file("events")
        checkDoubles(events, file, "the file")
        for event in events["engine"]?.members ?? [] { checkForm(event.value, .engineEvent, file, event.key) }
        for event in events["normalized"]?.members ?? [] {
            checkForm(event.value, .normalizedEvent, file, event.key)
            for property in event.value["properties"]?.elements ?? [] {
                checkType(property["type"]?.string, file, "\(event.key).\(property["name"]?.string ?? "?")")
            }
            for source in event.value["from"]?.strings ?? [] where source != "*" && events["engine"]?[source] == nil {
                report(file, "\(event.key): from \(source), which is no event of the engine")
            }
        }
    }

    private mutating func checkCompatibility() {
        let file = "contract/compatibility.json"
        let namespaces = Set(contract.namespaces.map { $0.name + ".*" })
        for row in contract.file("compatibility").elements {
            let name = row["operation"]?.string ?? "?"
            checkForm(row, .compatibility, file, name)
            if !operations.contains(name), !namespaces.contains(name) { report(file, "no operation \(name)") }
        }
    }

    private mutating func checkWords() {
        for name in ["adapts", "recipes"] {
            let file = "contract/\(name).json"
            checkDoubles(contract.file(name), file, "the file")
            for member in contract.file(name).members where member.value.string?.isEmpty != false {
                report(file, "\(member.key): no words")
            }
        }
    }
}

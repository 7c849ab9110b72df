/// What must hold of the contract before anything is made from it.
struct Checks {
    let contract: Contract
    /// `TANDEM_` constants of `include/tandem.h`.
    let constants: [String: Int]
    private(set) var problems: [Problem]
    let types: Set<String>
    let operations: Set<String>

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
        checkPython()
    }

    mutating func report(_ file: String, _ message: String) {
        problems.append(Problem(file: file, message: message))
    }

    mutating func checkFile(_ file: ContractFile) {
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

    mutating func checkOperation(_ operation: Operation) {
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
            for name in result["names"]?.members ?? [] where !name.value.isScalar {
                report(file, "\(place).result: \(name.key) is neither a path nor a constant")
            }
        }
        if let stream = operation.entry["stream"] { checkStream(stream, operation) }
        if let pages = operation.entry["pages"] { checkPages(pages, operation) }
        if let recipe = operation.recipe, contract.file("recipes")[recipe] == nil, !operations.contains(recipe) {
            report(file, "\(place): no recipe \(recipe) in recipes.json")
        }
        for code in operation.errors where code.isEmpty || operation.errors.filter({ $0 == code }).count > 1 {
            report(file, "\(place): error \(code.isEmpty ? "without a name" : code + " is named twice")")
        }
    }

    mutating func checkRequest(_ operation: Operation) {
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

    mutating func checkArgument(_ entry: Value, _ operation: Operation) {
        let name = entry["name"]?.string ?? "?"
        let place = "\(operation.fullName).\(name)"
        checkForm(entry, .argument, operation.file, place)
        checkType(entry["type"]?.string, operation.file, place)
        checkOneOf(entry["in"], Argument.Place.allCases.map(\.rawValue), operation.file, "\(place): in")
        if let adapt = entry["adapt"]?.string, contract.file("adapts")[adapt] == nil {
            report(operation.file, "\(place): no adapt \(adapt) in adapts.json")
        }
        let pathNames = Operation.pathNames(operation.path ?? "").map(\.name)
        if entry["in"]?.string == "path", !pathNames.contains(name) {
            report(operation.file, "\(place): the path has no {\(name)}")
        }
    }

    /// Each name and each alias belongs to one argument; arguments of different forms may share one.
    mutating func checkNames(_ operation: Operation) {
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

    mutating func checkPages(_ pages: Value, _ operation: Operation) {
        let place = "\(operation.fullName).pages"
        checkForm(pages, .pages, operation.file, place)
        checkOneOf(pages["counts"], ["pages", "items"], operation.file, "\(place): counts")
        if (pages["counts"] == nil) == (pages["next"] == nil) {
            report(operation.file, "\(place): either counts or next says what the next page begins with")
        }
        for key in ["argument", "also", "size"] {
            guard let name = pages[key]?.string, !operation.arguments.contains(where: { $0.name == name }) else {
                continue
            }
            report(operation.file, "\(place): \(key) is none of the operation's arguments")
        }
    }

    mutating func checkStream(_ stream: Value, _ operation: Operation) {
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
    mutating func checkRoutes() {
        var first: [String: Operation] = [:]
        for operation in contract.operations where operation.recipe == nil {
            guard let method = operation.method, let path = operation.path else { continue }
            let pieces = path.split(separator: "/").map {
                $0.hasPrefix("{") ? $0.hasSuffix("...}") ? "{...}" : "{}" : $0
            }
            let route = method + " /" + pieces.joined(separator: "/")
            if let other = first[route] {
                report(operation.file, "\(operation.fullName): same route as \(other.fullName), without a recipe")
            }
            first[route] = operation
        }
    }
}

// The official client's surface, `contract/python.json`.
extension Checks {
    mutating func checkPython() {
        let file = "contract/python.json"
        let client = OfficialClient(contract)
        let kinds = Set((client.models + client.unions).map(\.key))
        checkForm(client.file, .python, file, "the file")
        checkDoubles(client.file, file, "the file")
        let aliases = Alias.all(contract).map { "\($0.namespace).\($0.name)" }
        for method in client.file["methods"]?.members ?? [] {
            checkMethod(method, kinds)
            if !operations.contains(method.key), !aliases.contains(method.key) {
                report(file, "no operation \(method.key), and none with it as its second name")
            }
        }
        for pages in client.file["pages"]?.members ?? [] { checkPages(pages) }
        for model in client.models { checkModel(model, kinds) }
        for name in client.oldNames where !kinds.contains(name.value.string ?? "") {
            report(file, "\(name.key): no model \(name.value.string ?? "")")
        }
        for union in client.unions {
            for name in union.value.strings where client.file["models"]?[name] == nil {
                report(file, "\(union.key): no model \(name)")
            }
        }
    }

    private mutating func checkMethod(_ method: Value.Member, _ kinds: Set<String>) {
        let file = "contract/python.json"
        checkForm(method.value, .pythonMethod, file, method.key)
        checkPythonType(method.value["returns"]?.string, kinds.union(["stream"]), method.key)
        for parameter in method.value["parameters"]?.elements ?? [] {
            let place = "\(method.key).\(parameter["name"]?.string ?? "?")"
            checkForm(parameter, .pythonParameter, file, place)
            checkPythonType(parameter["type"]?.string, kinds, place)
        }
    }

    private mutating func checkModel(_ model: Value.Member, _ kinds: Set<String>) {
        checkForm(model.value, .pythonModel, "contract/python.json", model.key)
        for field in model.value["fields"]?.elements ?? [] {
            let place = "\(model.key).\(field["name"]?.string ?? "?")"
            checkForm(field, .pythonField, "contract/python.json", place)
            checkPythonType(field["type"]?.string, kinds, place)
        }
    }

    private mutating func checkPages(_ pages: Value.Member) {
        let file = "contract/python.json"
        checkForm(pages.value, .pythonPages, file, pages.key)
        checkOneOf(pages.value["by"], ["after", "offset", "page"], file, "\(pages.key): by")
        guard let operation = contract.operations.first(where: { $0.fullName == pages.key }) else {
            return report(file, "pages: no operation \(pages.key)")
        }
        for key in ["argument", "size"] {
            let name = pages.value[key]?.string ?? ""
            if !operation.arguments.contains(where: { $0.name == name }) {
                report(file, "\(pages.key): \(key) \(name) is no argument")
            }
        }
    }

    private mutating func checkPythonType(_ type: String?, _ kinds: Set<String>, _ place: String) {
        guard let name = type.flatMap(PythonText.innermost), !kinds.contains(name) else { return }
        report("contract/python.json", "\(place): no type \(name)")
    }
}

extension Schema {
    fileprivate static let python = Schema(
        keys: [
            ("version", .text), ("constructors", .object), ("exports", .texts), ("errors", .object),
            ("modules", .object), ("pages", .object), ("old_names", .object), ("methods", .object),
            ("literals", .object), ("unions", .object),
            ("models", .object),
        ],
        required: ["version", "methods", "models"]
    )
    fileprivate static let pythonMethod = Schema(
        keys: [("parameters", .objects), ("returns", .text), ("empty_body", .flag), ("sends", .object)],
        required: ["parameters", "returns"]
    )
    fileprivate static let pythonParameter = Schema(
        keys: [
            ("name", .text), ("type", .text), ("keyword", .flag), ("rest", .flag), ("default", .any),
            ("drops_empty", .flag),
        ],
        required: ["name", "type"]
    )
    fileprivate static let pythonModel = Schema(
        keys: [("fields", .objects), ("extra", .text), ("base", .text)],
        required: ["fields"]
    )
    fileprivate static let pythonField = Schema(
        keys: [
            ("name", .text), ("type", .text), ("const", .any), ("required", .flag), ("default", .any),
            ("accepts", .texts),
        ],
        required: ["name", "type"]
    )
    fileprivate static let pythonPages = Schema(
        keys: [
            ("by", .text), ("argument", .text), ("size", .text), ("items", .any), ("next", .text), ("yields", .text),
        ],
        required: ["by", "argument", "size", "items", "yields"]
    )
}

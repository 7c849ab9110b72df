// The files beside the operations.
extension Checks {
    mutating func checkTypes() {
        for (file, types) in [("types", contract.file("types")), ("client", contract.file("client")["types"] ?? .null)]
        {
            for type in types.members { checkType(type, "contract/\(file).json") }
        }
        checkDoubles(contract.file("types"), "contract/types.json", "the file")
    }

    mutating func checkType(_ type: Value.Member, _ file: String) {
        checkForm(type.value, .type, file, type.key)
        for base in type.value["includes"]?.strings ?? [] { checkType(base, file, type.key) }
        checkFields(type.value, file, type.key)
        for variant in type.value["variants"]?.elements ?? [] {
            checkForm(variant, .variant, file, type.key)
            checkFields(variant, file, "\(type.key).\(variant["name"]?.string ?? "?")")
        }
    }

    mutating func checkFields(_ value: Value, _ file: String, _ place: String) {
        for field in value["fields"]?.elements ?? [] {
            let name = "\(place).\(field["name"]?.string ?? "?")"
            checkForm(field, .argument, file, name)
            checkType(field["type"]?.string, file, name)
        }
    }

    mutating func checkErrors() {
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

    mutating func checkEvents() {
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

    mutating func checkCompatibility() {
        let file = "contract/compatibility.json"
        let namespaces = Set(contract.namespaces.map { $0.name + ".*" })
        for row in contract.file("compatibility").elements {
            let name = row["operation"]?.string ?? "?"
            checkForm(row, .compatibility, file, name)
            if !operations.contains(name), !namespaces.contains(name) { report(file, "no operation \(name)") }
        }
    }

    mutating func checkWords() {
        for name in ["adapts", "recipes"] {
            let file = "contract/\(name).json"
            checkDoubles(contract.file(name), file, "the file")
            for member in contract.file(name).members where member.value.string?.isEmpty != false {
                report(file, "\(member.key): no words")
            }
        }
    }
}

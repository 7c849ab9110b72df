/// One parameter of a Python method.
struct PythonParameter {
    enum Role {
        case argument(Argument)
        /// A whole body that is the caller's own object.
        case payload
    }

    let name: String
    let role: Role
    let type: String
    /// The default's text; nil: it is required.
    var fallback: String?
    var isKeyword = false
    /// What is sent where it has no value.
    var omitted: Value?
    /// An object that may be given in its place: a dictionary says all that is sent.
    var alternative: String?
    /// Whether "" and [] are no value.
    var dropsEmpty = false

    var declaration: String {
        guard let fallback else { return "\(name): \(type)" }
        let optional = fallback == "None" && type != "Any" ? type + " | None" : type
        return "\(name): \(optional) = \(fallback)"
    }

    /// The argument's name and the expression that is sent.
    func pair(_ argument: Argument) -> String {
        var text = dropsEmpty ? "\(name) or None" : name
        if let omitted {
            let value = omitted == .null ? "NULL" : PythonText.value(omitted)
            let isMissing = dropsEmpty ? "not \(name)" : "\(name) is None"
            let isMeant = alternative.map { " and type(\($0)) is not dict" } ?? ""
            text = "\(value) if \(isMissing)\(isMeant) else \(text)"
        }
        return "\"\(argument.name)\": \(text)"
    }
}

/// The parameters of an operation's method, in their order.
struct PythonParameters {
    private(set) var list: [PythonParameter] = []

    var payload: String? {
        list.first { if case .payload = $0.role { true } else { false } }?.name
    }

    var arguments: [(PythonParameter, Argument)] {
        list.compactMap { parameter in
            guard case .argument(let argument) = parameter.role else { return nil }
            return (parameter, argument)
        }
    }

    /// What keeps the options of the call: `options`, unless that is a parameter.
    var rest: String { list.contains { $0.name == "options" } ? "more" : "options" }

    init(_ operation: Operation, _ official: OfficialClient.Method?) {
        var seen: Set<String> = []
        let listed = HeaderOutput.listedArguments(operation).filter {
            !$0.name.hasPrefix("$") && seen.insert($0.name).inserted
        }
        if let official {
            addOfficial(listed, operation, official)
        } else {
            addOwn(listed, operation)
        }
    }

    private mutating func addOwn(_ listed: [Argument], _ operation: Operation) {
        let isNamed = listed.contains { $0.adapt == "whole_body" }
        let takesBody = operation.body.kind == "payload" && !isNamed
        let isAlone = !takesBody && !isNamed
        let isFirst: (Argument) -> Bool = { $0.place == .path || $0.adapt == "whole_body" }
        let isNext: (Argument) -> Bool = { isAlone && $0.isRequired && $0.form == nil && !isFirst($0) }
        let rest = listed.filter { !isFirst($0) && !isNext($0) }
        // What the engine takes and ignores stands behind what a caller may mean by position.
        let isIgnored: (Argument) -> Bool = { $0.name.hasPrefix("_") }
        list = (listed.filter(isFirst) + listed.filter(isNext)).map { argument in
            let isRequired = argument.place == .path || (isAlone && argument.isRequired && argument.form == nil)
            return Self.parameter(argument, isRequired ? nil : "None")
        }
        list += (rest.filter { !isIgnored($0) } + rest.filter(isIgnored)).map { Self.parameter($0, "None") }
        if takesBody {
            let name = listed.contains { $0.name == "payload" } ? "body" : "payload"
            let place = listed.prefix { $0.place == .path }.count
            list.insert(PythonParameter(name: name, role: .payload, type: "Any", fallback: "None"), at: place)
        }
    }

    /// The official client's parameters as it has them, then what else the engine takes, as keywords.
    private mutating func addOfficial(
        _ listed: [Argument],
        _ operation: Operation,
        _ official: OfficialClient.Method
    ) {
        var used: Set<String> = []
        for given in official.parameters where !given.isRest {
            let argument = Self.argument(given, listed, operation)
            used.insert(argument?.name ?? given.name)
            list.append(Self.parameter(given, argument, official, operation))
        }
        for argument in listed where !used.contains(argument.name) {
            var parameter = Self.parameter(argument, "None")
            parameter.isKeyword = true
            list.append(parameter)
        }
    }

    private static func parameter(
        _ given: OfficialClient.Parameter,
        _ argument: Argument?,
        _ official: OfficialClient.Method,
        _ operation: Operation
    ) -> PythonParameter {
        let argument = argument ?? wholeBody(operation)
        var parameter =
            if let argument {
                PythonParameter(name: given.name, role: .argument(argument), type: type(of: argument))
            } else {
                // A body may be given by its members instead.
                PythonParameter(name: given.name, role: .payload, type: "Mapping[str, Any]", fallback: "None")
            }
        if let value = given.defaultValue { parameter.fallback = PythonText.value(value) }
        if argument?.adapt == "whole_body" { parameter.fallback = "None" }
        parameter.isKeyword = given.isKeyword
        parameter.omitted = official.sends[given.name]
        parameter.alternative = official.parameters.first { $0.isObject && $0.name != given.name }?.name
        parameter.dropsEmpty = given.dropsEmpty
        return parameter
    }

    /// A body that the official client sends and the engine does not read has no members that could be told apart.
    private static func wholeBody(_ operation: Operation) -> Argument? {
        guard operation.body.kind == "fields" else { return nil }
        let entry = [Value.Member(key: "type", value: .string("object"))]
        return Argument(entry: .object(entry), name: "$body", place: .body, isWildcard: false)
    }

    /// The argument that an official parameter is; nil: it is the whole body.
    private static func argument(
        _ given: OfficialClient.Parameter,
        _ listed: [Argument],
        _ operation: Operation
    ) -> Argument? {
        let found = listed.first { ([$0.name, $0.wire] + $0.accepts).contains(given.name) }
        let isBody = operation.body.kind == "payload" && given.isObject && found?.place == .body
        return isBody && found?.adapt != "whole_body" ? nil : found
    }

    private static func parameter(_ argument: Argument, _ fallback: String?) -> PythonParameter {
        PythonParameter(
            name: argument.name == "options" ? "options_" : PythonText.identifier(argument.name),
            role: .argument(argument),
            type: type(of: argument),
            fallback: fallback
        )
    }

    private static func type(of argument: Argument) -> String {
        let plain = PythonText.type(argument.type, isResult: false)
        guard let adapt = argument.adapt, !["resource_key", "without_nulls"].contains(adapt) else { return plain }
        switch adapt {
        case "approve_or_reject", "text_content", "whole_body": return "Any"
        case "comma_list": return "str | Sequence[str]"
        default: return plain == "str" || plain == "Any" ? plain : "str | " + plain
        }
    }
}

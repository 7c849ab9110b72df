internal import TandemJSON

/// The recipes of the Incident Monitor's destinations and routes: the configuration is read, edited and saved whole.
struct MonitorConfigSteps: CallSteps {
    /// The part of the configuration that is edited.
    struct Part: Sendable {
        let list: String
        let key: String
        let argument: String

        static let destinations = Part(list: "destinations", key: "destination_id", argument: "destination")
        static let routes = Part(list: "routes", key: "route_id", argument: "route")
    }

    private let request: Request
    private let part: Part
    private let id: String
    /// What is put in; nil: the one of that id is only taken out.
    private let addition: JSONText?
    private var isReading = false

    private static let whole = "incident_monitor"

    /// nil where a whole configuration is given, which is saved as it is.
    init?(_ operation: Operation, _ request: Request) {
        guard let edit = try? Self.edit(operation, request) else { return nil }
        self.request = request
        part = edit.part
        id = edit.id
        addition = edit.addition
    }

    /// What the arguments ask for; nil: to save a whole configuration.
    ///
    /// An id that is blank is refused.
    static func edit(
        _ operation: Operation,
        _ request: Request
    ) throws(Failure) -> (part: Part, id: String, addition: JSONText?)? {
        let part: Part = operation.recipe?.hasPrefix("route_") ?? false ? .routes : .destinations
        let isRemoval = operation.recipe?.hasSuffix("_remove") ?? false
        let given = request.body?[whole]
        guard let subject = given?[isRemoval ? part.key : part.argument] else { return nil }
        let id = isRemoval ? subject.string : subject[part.key]?.string
        guard let id = id?.trimmed, !id.isEmpty else {
            throw Failure(.invalidArgument, "\(operation.name) needs \(part.key): it is blank or no text")
        }
        return (part, id, isRemoval ? nil : subject)
    }

    mutating func begin() -> Step {
        guard let get = Operation.named("incident_monitor.get_config") else { return .send(request) }
        isReading = true
        return .send(Request(get.number))
    }

    mutating func next(_ result: Result<Reply, Failure>) -> Step {
        guard isReading else { return .end(result) }
        isReading = false
        guard case .success(let reply) = result, reply.status < 400 else { return .end(result) }
        guard let config = reply.json?[Self.whole], config.kind == .object else {
            return .end(.failure(Failure(.protocol, "the engine's answer has no Incident Monitor configuration")))
        }
        var changed = request
        changed.body = JSONWriter.object { $0.member(Self.whole, edited(config)) }
        return .send(changed)
    }

    private func edited(_ config: JSONText) -> JSONText {
        let rest = (config[part.list]?.elements ?? []).filter { $0[part.key]?.string?.trimmed != id }
        let changed = config.setting(part.list, JSONWriter.array(of: rest + (addition.map { [$0] } ?? [])))
        guard addition == nil, part.list == Part.destinations.list else { return changed }
        return withoutMentions(changed)
    }

    /// A destination that is gone is no default any more, and no route leads to it.
    private func withoutMentions(_ config: JSONText) -> JSONText {
        let routes = (config["routes"]?.elements ?? []).compactMap { route -> JSONText? in
            guard let left = route["destination_ids"].flatMap({ without($0) }) else { return route }
            return left.elements.isEmpty ? nil : route.replacing("destination_ids", with: left)
        }
        var result = config
        if let defaults = config["default_destination_ids"].flatMap({ without($0) }) {
            result = result.replacing("default_destination_ids", with: defaults)
        }
        return config["routes"] == nil ? result : result.replacing("routes", with: JSONWriter.array(of: routes))
    }

    /// The identifiers without this one; nil where it is not among them.
    private func without(_ ids: JSONText) -> JSONText? {
        let left = ids.elements.filter { $0.string?.trimmed != id }
        return left.count == ids.elements.count ? nil : JSONWriter.array(of: left)
    }
}

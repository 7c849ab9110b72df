internal import TandemJSON

/// The recipe `mission_event`: the documented event of a completed work item, in the words that engines know.
struct MissionEventSteps: CallSteps {
    private let request: Request
    private let mission: String
    private let event: JSONText
    private var isReading = false

    private static let completed = "work_item.completed"
    private static let inProgress = "in_progress"
    private static let open: Set<String> = ["todo", "rework", "blocked"]

    /// nil where the event goes as it is.
    init?(_ request: Request) {
        guard let event = request.body?["event"], event.kind == .object else { return nil }
        mission = request.path("mission_id")
        self.request = request
        // What has no type is none of the engine's events: that it says so is clearer than what else it would miss.
        self.event = event["type"] == nil ? event : event.adding("mission_id", JSONText(string: mission))
    }

    mutating func begin() -> Step {
        guard event["type"]?.string == Self.completed else { return send(event) }
        if let item = given("work_item_id") { return send(finished(item, given("run_id") ?? item)) }
        guard let get = Operation.named("missions.get") else { return send(event) }
        isReading = true
        return .send(Request(get.number, path: [.init("mission_id", mission)]))
    }

    mutating func next(_ result: Result<Reply, Failure>) -> Step {
        guard isReading else { return .end(result) }
        isReading = false
        guard case .success(let reply) = result, reply.status < 400 else { return .end(result) }
        // What is no mission's record tells nothing: the engine shall say what it makes of the event.
        guard let items = reply.json?.at("mission", "work_items"), items.kind == .array else { return send(event) }
        guard let item = Self.current(items.elements), let id = item["work_item_id"] else {
            return .end(.failure(noItem))
        }
        let itsRun = item["run_id"].flatMap { $0.isNull ? nil : $0 }
        return send(finished(id, given("run_id") ?? itsRun ?? id))
    }

    private func given(_ name: String) -> JSONText? { event[name].flatMap { $0.isNull ? nil : $0 } }

    private static func current(_ items: [JSONText]) -> JSONText? {
        items.first { $0["status"]?.string == inProgress }
            ?? items.first { $0["status"]?.string.map { open.contains($0) } ?? false }
    }

    private var noItem: Failure {
        Failure(
            .invalidArgument,
            "no work item of the mission \(mission) is in progress or open: give work_item_id in the event"
        )
    }

    private func finished(_ item: JSONText, _ run: JSONText) -> JSONText {
        JSONWriter.object { writer in
            writer.member("type", "run_finished")
            writer.optional("mission_id", event["mission_id"])
            writer.member("work_item_id", item)
            writer.member("run_id", run)
            writer.member("status", "success")
        }
    }

    private func send(_ event: JSONText) -> Step {
        var request = request
        request.body = JSONWriter.object { $0.member("event", event) }
        return .send(request)
    }
}

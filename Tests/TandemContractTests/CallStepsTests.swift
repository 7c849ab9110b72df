import TandemJSON
import Testing

@testable import TandemContract

/// A call's steps, performed on replies that are written down.
struct Performance {
    private(set) var requests: [Request] = []
    private(set) var outcome: Result<Reply, Failure>?
    /// What is known of models afterwards.
    private(set) var knowledge: ModelKnowledge?

    /// The requests as "operation body" or "operation {path} query".
    var lines: [String] {
        requests.map { request in
            let name = TandemContract.Operation.numbered(request.operation)?.name ?? "?"
            let path = request.path.map { "\($0.name)=\($0.value)" }
            let query = request.query.map { "\($0.name)=\($0.value)" }
            return ([name] + path + query + [request.body?.text].compactMap { $0 }).joined(separator: " ")
        }
    }

    /// `replies` are bodies, or a status.
    init(
        _ name: String,
        _ arguments: String,
        _ replies: [String],
        completesModel: Bool = false,
        _ before: ModelKnowledge = ModelKnowledge()
    ) throws {
        let operation = try operation(name)
        var plan = try plan(name, arguments)
        try Recipe.prepare(&plan, operation) { "made" }
        guard var steps = Recipe.steps(operation, plan, completesModel: completesModel, before) else {
            requests = [plan.request]
            return
        }
        var replies = replies[...]
        var step = steps.begin()
        while outcome == nil {
            switch step {
            case .send(let request):
                requests.append(request)
                let text = try #require(replies.first, "no reply for \(lines.last ?? "")")
                replies = replies.dropFirst()
                let reply = try Int(text).map { Reply.empty($0) } ?? Reply.json(json(text))
                step = steps.next(.success(reply))
            case .pause: step = steps.resume()
            case .end(let result): outcome = result
            }
        }
        knowledge = steps.knowledge
        #expect(replies.isEmpty)
    }

    var failure: Failure? { if case .failure(let failure) = outcome { failure } else { nil } }
    var reply: Reply? { if case .success(let reply) = outcome { reply } else { nil } }
}

@Suite struct CallStepsTests {
    @Test(arguments: [
        ("sessions.get", #"{"session_id":"s"}"#), ("sessions.prompt_async", #"{"session_id":"s","prompt":"p"}"#),
        ("questions.reply", #"{"question_id":"q"}"#), ("questions.reply", #"{"question_id":"q","answer":null}"#),
        ("incident_monitor.upsert_route", #"{"incident_monitor":{"routes":[]}}"#),
        ("incident_monitor.remove_destination", #"{"enabled":true}"#),
        ("missions.apply_event", #"{"mission_id":"m","event":7,"$strict":true}"#),
        ("missions.apply_event", #"{"mission_id":"m","event":{"type":"work_item.completed"},"$strict":true}"#),
        ("incident_monitor.remove_route", #"{"route_id":" ","$strict":true}"#),
    ])
    func oneRequestNeedsNoSteps(name: String, arguments: String) throws {
        let plan = try plan(name, arguments)
        #expect(Recipe.steps(try operation(name), plan, completesModel: false, ModelKnowledge()) == nil)
    }

    @Test(arguments: [
        ("questions.reply", #"{"question_id":"q","answer":"a"}"#),
        ("missions.apply_event", #"{"mission_id":"m","event":{"type":"work_item.completed"}}"#),
        ("incident_monitor.remove_route", #"{"route_id":"r"}"#), ("sessions.list", #"{"$all":true}"#),
    ])
    func firstRefusalEndsThem(name: String, arguments: String) throws {
        let performance = try Performance(name, arguments, ["403"])
        #expect(performance.requests.count == 1)
        #expect(performance.reply?.status == 403)
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

/// The steps of a run, driven by what a test says happens; what they do is written down in short lines.
struct RunStepsFixture {
    var steps: RunSteps
    private(set) var done: [String] = []
    private(set) var requests: [RunSteps.Send: Request] = [:]
    private(set) var calls: [String: HostCall] = [:]
    private(set) var result: Result<JSONText, Failure>?

    init(_ arguments: String = "{}", questionsWait: Bool = true, shows: Bool = false) throws {
        let given = try JSONText(checking: arguments).adding("session_id", RunStepsFixture.text("s"))
        let operation = try #require(TandemContract.Operation.named("sessions.run"))
        let plan = try Plan(
            run: operation,
            given["prompt"] == nil ? given.adding("prompt", RunStepsFixture.text("hi")) : given,
            defaults: CallOptions()
        )
        let prompt = try #require(TandemContract.Operation.named("sessions.prompt_async"))
        steps = RunSteps(
            prompt,
            plan,
            completesModel: false,
            ModelKnowledge(),
            questionsWait: questionsWait,
            shows: shows,
            now: 1
        )
    }

    /// One that follows the run `r`.
    static func following(_ arguments: String = "{}", questionsWait: Bool = true, shows: Bool = false) throws
        -> RunStepsFixture
    {
        var fixture = try RunStepsFixture(arguments, questionsWait: questionsWait, shows: shows)
        fixture.put(.begin)
        fixture.begins("r")
        _ = fixture.takeDone()
        return fixture
    }

    mutating func put(_ input: RunSteps.Input) {
        for action in steps.take(input) { note(action) }
    }

    mutating func begins(_ run: String, _ more: String = "") {
        let reply = Reply.json(JSONText(trusted: Array(#"{"runID":"\#(run)"\#(more)}"#.utf8)), status: 202)
        put(.answered(.prompt, .success(reply)))
    }

    mutating func hear(_ events: (String, String)...) throws {
        put(
            .events(
                try events.map { EngineEvent(type: $0.0, properties: try JSONText(checking: $0.1)) }
            )
        )
    }

    mutating func finish(_ status: String = "completed", text: String? = "whole") throws {
        if let text {
            try hear(("message.part.updated", #"{"part":{"type":"text","text":"\#(text)","messageID":"m"}}"#))
        }
        try hear(("session.run.finished", #"{"runID":"r","status":"\#(status)"}"#))
    }

    /// What was done since this was last asked.
    mutating func takeDone() -> [String] {
        defer { done = [] }
        return done
    }

    private mutating func note(_ action: RunSteps.Action) {
        switch action {
        case .send(let send, let request):
            requests[send] = request
            let name = TandemContract.Operation.numbered(request.operation)?.name ?? ""
            done.append("send \(name)" + (request.body.map { " \($0.text)" } ?? ""))
        case .stopSending(let send): done.append("stop sending \(send)")
        case .pause(let milliseconds): done.append("pause \(milliseconds)")
        case .follow(let run): done.append("follow \(run)")
        case .stopShowing: done.append("stop showing")
        case .ask(let id, let call):
            calls[id] = call
            done.append("ask \(id)")
        case .stopAsking(let id, let reason): done.append("stop asking \(id): \(reason)")
        case .retry(let id, let milliseconds): done.append("retry \(id) in \(milliseconds)")
        case .startGrace: done.append("grace")
        case .end(let result):
            self.result = result
            switch result {
            case .success: done.append("end")
            case .failure(let failure): done.append("end \(failure.name.rawValue) \(failure.detail?.text ?? "")")
            }
        }
    }

    private static func text(_ text: String) -> JSONText {
        var writer = JSONWriter()
        writer.string(text)
        return writer.finish()
    }
}

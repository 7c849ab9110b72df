internal import TandemContract
internal import TandemJSON

/// `sessions.run` as a value: what happens comes in, what to do about it comes out (contract/recipes.json, `run`).
///
/// A prompt, its run to the end, the answers that the run waits for, and where a question's answer has to be sent as a
/// prompt, that run too. No I/O and no clock: `RunConversation` acts.
struct RunSteps: Sendable {
    enum Input: Sendable {
        case begin
        /// A request is over.
        case answered(Send, Result<Reply, Failure>)
        /// A prompt's pause is over.
        case waited
        /// The stream of the run goes on.
        case events([EngineEvent])
        case streamEnded(Result<Reply?, Failure>)
        /// The host has answered what it was asked, or could not be asked.
        case decided(String, Result<JSONText, Failure>)
        /// The caller has answered a question by a call of its own; nil: it does not want to.
        case answeredElsewhere(String, JSONText?)
        /// Time to send an answer again that did not get through.
        case again(String)
        /// Everything that there was to show has been queued.
        case shown
        /// The caller has had enough.
        case stop
        /// A prompt that was under way has had its time.
        case graceOver
        /// So has everything: an engine that does not answer is not waited for.
        case stopOver
    }

    /// What a request is for.
    enum Send: Sendable, Hashable {
        case prompt
        case permission(String)
        case question(String)
        case cancelRun
        case messages
    }

    enum Action: Sendable {
        case send(Send, Request)
        /// The answer is not waited for any more; it comes all the same, as a failure.
        case stopSending(Send)
        case pause(milliseconds: Int64)
        /// Follow a run from its first event.
        case follow(runID: String)
        /// Show no more of it.
        case stopShowing
        case ask(String, HostCall)
        case stopAsking(String, reason: String)
        case retry(String, milliseconds: Int64)
        case startGrace
        case end(Result<JSONText, Failure>)
    }

    enum Phase {
        case prompting
        case following
        /// The run is over; questions of it have no answers yet.
        case answering
        /// The whole text is read where the stream did not have it.
        case reading
        /// There is a result; events of it are still to be shown.
        case showing(JSONText)
        /// Stopped: a prompt is under way that may have begun a run.
        case awaitingPrompt(Failure)
        /// Stopped: the run is being cancelled.
        case cancelling(Failure)
        case over
    }

    let sessionID: String
    let plan: Plan
    /// The prompt's.
    let operation: Operation
    let terms: RunTerms
    let questionsWait: Bool
    private let completesModel: Bool
    private let now: Int64
    var phase = Phase.prompting
    var prompt: PromptSteps
    /// The prompt's own request has left and is not answered.
    var isPromptSent = false
    var wasPromptSent = false
    /// The run was there before: it is not ours to cancel.
    var isAttached = false
    /// How many prompts were sent; each has a key of its own.
    private var prompts = 1
    /// Streams of runs whose events are still being shown.
    var showing = 0
    let shows: Bool
    var normalizer: EventNormalizer
    var state = RunState()
    var runID = ""
    var decisions = RunDecisions()

    /// shows: whether somebody sees the events.
    init(
        _ operation: Operation,
        _ plan: Plan,
        completesModel: Bool,
        _ knowledge: ModelKnowledge,
        questionsWait: Bool,
        shows: Bool,
        now: Int64
    ) {
        self.operation = operation
        terms = plan.run ?? RunTerms()
        var plan = plan
        if questionsWait, terms.answersQuestions {
            plan.request.headers.append(.init(RunTerms.answersQuestions, "true"))
        }
        self.plan = plan
        sessionID = plan.request.path("session_id")
        self.completesModel = completesModel
        self.questionsWait = questionsWait
        self.shows = shows
        self.now = now
        prompt = RunSteps.steps(operation, plan, completesModel: completesModel, knowledge)
        normalizer = EventNormalizer(sessionID: sessionID, runID: nil, now: now)
    }

    private static func steps(
        _ operation: Operation,
        _ plan: Plan,
        completesModel: Bool,
        _ knowledge: ModelKnowledge
    ) -> PromptSteps {
        PromptSteps(operation, plan, completesModel: completesModel && !plan.options.isStrict, knowledge)
    }

    mutating func take(_ input: Input) -> [Action] {
        switch input {
        case .begin: return step(prompt.begin())
        case .waited: if case .prompting = phase { return step(prompt.resume()) }
        case .answered(let send, let result): return answered(send, result)
        case .events(let events): return heard(events)
        case .streamEnded(let outcome): return streamEnded(outcome)
        case .decided(let id, let reply): return decided(id, reply)
        case .answeredElsewhere(let id, let answer): return answeredElsewhere(id, answer)
        case .again(let id): return again(id)
        case .shown:
            showing -= 1
            return finishShowing()
        case .stop: return stop()
        case .graceOver: return graceOver()
        case .stopOver: return stopOver()
        }
        return []
    }

    private mutating func answered(_ send: Send, _ result: Result<Reply, Failure>) -> [Action] {
        switch (send, phase) {
        case (.prompt, .prompting):
            isPromptSent = false
            return step(prompt.next(result))
        case (.prompt, .awaitingPrompt(let failure)): return promptEnded(result, failure)
        case (.permission(let id), _), (.question(let id), _): return passed(id, result)
        case (.cancelRun, .cancelling(let failure)): return end(.failure(RunSteps.marked(failure, result)))
        case (.messages, .reading): return finish(with: result)
        default: return []
        }
    }

    /// The next step of the prompt.
    private mutating func step(_ step: CallStep) -> [Action] {
        switch step {
        case .send(let request):
            isPromptSent = request.operation == plan.request.operation
            wasPromptSent = wasPromptSent || isPromptSent
            return [.send(.prompt, request)]
        case .pause(let milliseconds): return [.pause(milliseconds: milliseconds)]
        case .end(let result): return began(result)
        }
    }

    private mutating func began(_ result: Result<Reply, Failure>) -> [Action] {
        switch RunSteps.run(of: result, operation) {
        case .failure(let failure): return end(.failure(failure))
        case .success(let run):
            runID = run.id
            isAttached = run.isAttached
            state = RunState()
            normalizer = EventNormalizer(sessionID: sessionID, runID: runID, now: now)
            phase = .following
            if shows { showing += 1 }
            return [.follow(runID: runID)]
        }
    }

    /// Answers of the user go on as a prompt of their own.
    mutating func prompt(with text: String) -> [Action] {
        prompts += 1
        var next = plan
        next.request.body = JSONWriter.object { writer in
            for member in plan.request.body?.members ?? [] where member.key != "parts" {
                writer.member(member.key, member.value)
            }
            writer.member("parts", RunSteps.parts(text))
        }
        let key = plan.request.header("idempotency-key") ?? ""
        next.request.headers.removeAll { $0.name.lowercased() == "idempotency-key" }
        next.request.headers.append(.init("Idempotency-Key", "\(key)-\(prompts)"))
        // The run that asked has ended just now, and the session may not know it yet.
        next.options.onConflict = .wait
        prompt = RunSteps.steps(operation, next, completesModel: completesModel, prompt.models)
        phase = .prompting
        return step(prompt.begin())
    }

    private static func parts(_ text: String) -> JSONText {
        JSONWriter.array { writer in
            writer.object { writer in
                writer.member("type", "text")
                writer.member("text", text)
            }
        }
    }

    /// The run that a prompt's answer names.
    static func run(of result: Result<Reply, Failure>, _ operation: Operation)
        -> Result<(id: String, isAttached: Bool), Failure>
    {
        switch result {
        case .failure(let failure): return .failure(failure)
        case .success(let reply):
            if let failure = Failure(reply, of: operation) { return .failure(failure) }
            let named = ["runID", "runId", "run_id", "id"].lazy.compactMap { reply.json?[$0]?.string }.first
            let header = reply.headers.first { $0.name.lowercased() == "x-tandem-run-id" }?.value
            guard let id = named ?? header, !id.isEmpty else {
                return .failure(Failure(.protocol, "the engine's answer to the prompt names no run"))
            }
            return .success((id, reply.json?["attached"]?.boolean ?? false))
        }
    }
}

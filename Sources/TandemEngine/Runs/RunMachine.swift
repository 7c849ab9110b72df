internal import TandemContract
internal import TandemJSON
internal import TandemProviders

/// One run as a value: it is told what happened and says what has to be done, and does nothing itself.
///
/// Text of an answer that was cancelled or failed half-way is kept as an assistant message: the user has read it. The
/// notice of a failure is stored too, as clients of the engine expect, but is never part of what a model is shown.
struct RunMachine: Equatable {
    enum Input {
        case begin
        case filesRead([FileText])
        case modelChosen(Result<ModelChoice, RunFailure>, HostOffers = HostOffers())
        case offersRead(HostOffers)
        case model([ModelEvent])
        /// What the session's rules say of the call that is to be made.
        case ruled(PermissionRules.Verdict)
        /// What the user says of it.
        case permitted(Bool)
        case toolProgress(Int, JSONText)
        case toolEnded(Int, ToolOutcome)
        case cancelled
        case timedOut
        /// The store refused what the run had to write.
        case stateLost(String)
    }

    enum Action: Equatable {
        case publish(RunEvent)
        /// The user's message; the text for the model follows where it differs.
        case storePrompt(String)
        case storeModelText(String)
        case storeAnswer(String)
        case storeNotice(String)
        case readFiles([FilePart])
        case chooseModel
        case call(ModelRequest, ModelChoice)
        case stopCall
        /// Looks at what the host offers now.
        case readOffers
        case applyRules(ToolCall, asks: Bool)
        case askPermission(ToolCall)
        /// The call is about to be made: stored before anything of it happens.
        case recordCall(ToolCall, said: String)
        case recordOutcome(ToolCall, ToolOutcome)
        /// A receipt for those who watch everything.
        case tell(ToolReceipt)
        case makeCall(ToolCall, RunTool.Kind)
        /// The current call is not wanted any more.
        case dropCall(reason: String)
        case end(RunEnd)
    }

    enum Phase: Equatable { case new, readingFiles, choosingModel, calling, usingTools, over }

    let prompt: Prompt
    /// What the model is shown of earlier messages, the oldest first, already within the window.
    let history: [ModelMessage]
    let droppedMessages: Int
    let system: SystemPrompt
    var phase = Phase.new
    /// What the model has said in the answer that is coming in.
    var text = ""
    var round = Round()
    var loop = ToolLoop()
    private var modelText: String
    private var choice: ModelChoice?
    private var usage: ModelUsage?
    private var promptTokens = 0

    init(prompt: Prompt, history: [ModelMessage], droppedMessages: Int = 0, system: SystemPrompt) {
        self.prompt = prompt
        self.history = history
        self.droppedMessages = droppedMessages
        self.system = system
        modelText = prompt.text
        round.mode = prompt.toolMode
    }

    mutating func step(_ input: Input) -> [Action] {
        switch (phase, input) {
        case (.over, _): []
        case (.new, .begin): begin()
        case (.readingFiles, .filesRead(let files)): filesRead(files)
        case (.choosingModel, .modelChosen(.success(let choice), let offers)): begin(with: choice, offers)
        case (.choosingModel, .modelChosen(.failure(let failure), _)): refused(failure)
        case (.choosingModel, .offersRead(let offers)): call(offers)
        case (.calling, .model(let events)): heard(events)
        case (.usingTools, .ruled(let verdict)): ruled(verdict)
        case (.usingTools, .permitted(let isPermitted)): permitted(isPermitted)
        case (.usingTools, .toolProgress(let serial, let chunk)): progress(serial, chunk)
        case (.usingTools, .toolEnded(let serial, let outcome)): ended(serial, outcome)
        case (_, .cancelled): cancel()
        case (_, .timedOut): fail(.timeout, .timeout)
        case (_, .stateLost(let reason)): fail(.state(reason), .error)
        default: []
        }
    }

    private mutating func begin() -> [Action] {
        var actions: [Action] = [
            .publish(.started), .publish(.status("running")), .storePrompt(prompt.text), .publish(.echo(prompt.text)),
        ]
        if prompt.files.isEmpty {
            phase = .choosingModel
            actions.append(.chooseModel)
        } else {
            phase = .readingFiles
            actions.append(.readFiles(prompt.files))
        }
        return actions
    }

    private mutating func filesRead(_ files: [FileText]) -> [Action] {
        phase = .choosingModel
        modelText = prompt.text(with: files)
        return [.storeModelText(modelText), .chooseModel]
    }

    private mutating func begin(with choice: ModelChoice, _ offers: HostOffers) -> [Action] {
        self.choice = choice
        return call(offers)
    }

    /// Calls the model, with what has been said since the prompt.
    private mutating func call(_ offers: HostOffers) -> [Action] {
        guard let choice else { return [] }
        round.offer = loop.isClosing ? .none : ToolOffer(offers, to: prompt, of: choice)
        if mustCall && round.offer.tools.isEmpty { return unsatisfied("no_tool_is_offered") }
        let system = ModelMessage(.system, system.text(hasTools: !round.offer.tools.isEmpty))
        let messages = [system] + history + [ModelMessage(.user, modelText)] + loop.messages
        let report = self.report(messages.count, system: system.content)
        promptTokens = report.tokens
        guard prompt.contextMode != .full || report.historyCharacters <= ContextMode.fullCharacters else {
            return refused(
                RunFailure(
                    code: "CONTEXT_LENGTH_EXCEEDED",
                    message: "the conversation has \(report.historyCharacters) characters, "
                        + "and context mode full takes \(ContextMode.fullCharacters)",
                    category: "provider"
                )
            )
        }
        phase = .calling
        var request = ModelRequest(
            model: choice.modelID,
            messages: messages,
            temperature: prompt.sampling.temperature,
            topP: prompt.sampling.topP,
            maxTokens: prompt.sampling.maxTokens
        )
        request.tools = round.offer.tools.map(\.model)
        request.mustCall = mustCall
        return [
            .publish(.contextSelected(report, round)), .publish(.toolsRouted(round)), .publish(.callStarted(round)),
            .publish(.budget(report, choice, round)), .call(request, choice),
        ]
    }

    /// Whether a tool has to be called before the model may answer.
    var mustCall: Bool { prompt.toolMode == .required && !loop.hasCalled }

    /// Calls the model once more.
    mutating func nextRound() -> [Action] {
        guard round.number < ToolLoop.rounds else {
            return [.publish(.roundsSpent)]
                + callFailed(.dispatch("the model was called \(ToolLoop.rounds) times and has no answer yet"))
        }
        round.number += 1
        text = ""
        usage = nil
        phase = .choosingModel
        return [.readOffers]
    }

    private mutating func heard(_ events: [ModelEvent]) -> [Action] {
        var actions: [Action] = []
        for event in events {
            switch event {
            case .text(let piece):
                text += piece
                actions.append(.publish(.delta(piece)))
            case .toolCallDelta(let delta): actions.append(.publish(.tool(loop.heard(delta, round))))
            case .toolCalls(let calls): loop.calls = calls
            case .usage(let usage): self.usage = usage
            case .finished: actions += complete()
            case .failed(let failure): actions += callFailed(RunFailure(failure))
            }
            if phase != .calling { break }
        }
        return actions
    }

    private mutating func complete() -> [Action] {
        let usage = usageReport()
        if !loop.calls.isEmpty && !loop.isClosing { return usage + useTools() }
        if mustCall { return usage + remind() }
        let refused = loop.calls.isEmpty ? [] : refuseCalls()
        return usage + refused + (text.allSatisfy(\.isWhitespace) ? silent() : finish(text, .completion))
    }

    mutating func finish(_ answer: String, _ reason: CallEnd.Reason) -> [Action] {
        phase = .over
        let end = RunEnd(status: .completed, error: nil, category: nil)
        return [
            .publish(.callFinished(round, CallEnd(reason: reason))), .storeAnswer(answer), .publish(.answer(answer)),
            .publish(.updated("idle")), .publish(.status("idle")), .publish(.finished(end)), .end(end),
        ]
    }

    private func usageReport() -> [Action] {
        guard let choice else { return [] }
        if let usage { return [.publish(.usage(usage, choice, isEstimate: false))] }
        let written = loop.calls.reduce(text.unicodeScalars.count) { $0 + $1.arguments.unicodeScalars.count }
        let completion = (written + 3) / 4
        let estimate = ModelUsage(
            prompt: Int64(promptTokens),
            completion: Int64(completion),
            total: Int64(promptTokens + completion)
        )
        return [.publish(.usage(estimate, choice, isEstimate: true))]
    }

    /// The model could not be called at all.
    private mutating func refused(_ failure: RunFailure) -> [Action] {
        let report = self.report(history.count + 1, system: "")
        return [
            .publish(.contextSelected(report, round)), .publish(.toolsRouted(round)), .publish(.callStarted(round)),
        ] + callFailed(failure)
    }

    mutating func callFailed(_ failure: RunFailure) -> [Action] {
        let named = prompt.model
        let actions: [Action] = [
            .publish(
                .callFailed(
                    failure,
                    providerID: choice?.providerID ?? named?.providerID ?? "",
                    modelID: choice?.modelID ?? named?.modelID ?? "",
                    round
                )
            ),
            .publish(.updated("failed", error: failure.message)), .publish(.status("failed", error: failure.message)),
        ]
        return actions + close(failure, .error)
    }

    private mutating func fail(_ failure: RunFailure, _ status: RunEnd.Status) -> [Action] {
        stop(status.rawValue) + close(failure, status)
    }

    private mutating func close(_ failure: RunFailure, _ status: RunEnd.Status) -> [Action] {
        phase = .over
        let end = RunEnd(status: status, error: failure.message, category: failure.category)
        return keptText() + [
            .storeNotice(failure.notice), .publish(.failed(failure)), .publish(.status("error")),
            .publish(.updated("error")), .publish(.finished(end)), .end(end),
        ]
    }

    private mutating func cancel() -> [Action] {
        let stopped = stop(RunEnd.Status.cancelled.rawValue)
        phase = .over
        let end = RunEnd(status: .cancelled, error: nil, category: "user_cancelled")
        return stopped + keptText() + [.publish(.status("cancelled")), .publish(.finished(end)), .end(end)]
    }

    /// Lets go of whatever is under way.
    private mutating func stop(_ reason: String) -> [Action] {
        switch phase {
        case .calling: [.stopCall]
        case .usingTools: dropCall(reason)
        default: []
        }
    }

    private func keptText() -> [Action] { text.allSatisfy(\.isWhitespace) ? [] : [.storeAnswer(text)] }

    private func report(_ messages: Int, system: String) -> ContextReport {
        let said =
            history.reduce(0) { $0 + $1.length } + modelText.unicodeScalars.count
            + loop.messages.reduce(0) { $0 + $1.length }
        let systemCharacters = system.unicodeScalars.count
        return ContextReport(
            mode: prompt.contextMode.window(for: prompt.text).name,
            historyMessages: history.count + 1,
            historyCharacters: said,
            droppedMessages: droppedMessages,
            systemCharacters: systemCharacters,
            messages: messages,
            characters: said + systemCharacters
        )
    }
}

internal import TandemProviders

/// One run as a value: it is told what happened and says what has to be done, and does nothing itself.
///
/// Text of an answer that was cancelled or failed half-way is kept as an assistant message: the user has read it. The
/// notice of a failure is stored too, as clients of the engine expect, but is never part of what a model is shown.
struct RunMachine: Equatable {
    enum Input {
        case begin
        case filesRead([FileText])
        case modelChosen(Result<ModelChoice, RunFailure>)
        case model([ModelEvent])
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
        case end(RunEnd)
    }

    enum Phase: Equatable { case new, readingFiles, choosingModel, calling, over }

    let prompt: Prompt
    /// What the model is shown of earlier messages, the oldest first, already within the window.
    let history: [ModelMessage]
    let droppedMessages: Int
    let system: String
    private(set) var phase = Phase.new
    private(set) var text = ""
    private var modelText: String
    private var choice: ModelChoice?
    private var usage: ModelUsage?
    private var promptTokens = 0

    init(prompt: Prompt, history: [ModelMessage], droppedMessages: Int = 0, system: String) {
        self.prompt = prompt
        self.history = history
        self.droppedMessages = droppedMessages
        self.system = system
        modelText = prompt.text
    }

    mutating func step(_ input: Input) -> [Action] {
        switch (phase, input) {
        case (.over, _): []
        case (.new, .begin): begin()
        case (.readingFiles, .filesRead(let files)): filesRead(files)
        case (.choosingModel, .modelChosen(.success(let choice))): call(choice)
        case (.choosingModel, .modelChosen(.failure(let failure))): refused(failure)
        case (.calling, .model(let events)): heard(events)
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

    private mutating func call(_ choice: ModelChoice) -> [Action] {
        self.choice = choice
        let messages = [ModelMessage(.system, system)] + history + [ModelMessage(.user, modelText)]
        let report = self.report(messages)
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
        let request = ModelRequest(
            model: choice.modelID,
            messages: messages,
            temperature: prompt.sampling.temperature,
            topP: prompt.sampling.topP,
            maxTokens: prompt.sampling.maxTokens
        )
        return [
            .publish(.contextSelected(report)), .publish(.toolsRouted), .publish(.callStarted),
            .publish(.budget(report, choice)), .call(request, choice),
        ]
    }

    private mutating func heard(_ events: [ModelEvent]) -> [Action] {
        var actions: [Action] = []
        for event in events {
            switch event {
            case .text(let piece):
                text += piece
                actions.append(.publish(.delta(piece)))
            case .usage(let usage): self.usage = usage
            case .finished: actions += complete()
            case .failed(let failure): actions += callFailed(RunFailure(failure))
            }
            if phase == .over { break }
        }
        return actions
    }

    private mutating func complete() -> [Action] {
        phase = .over
        let answer = text.allSatisfy(\.isWhitespace) ? "The model gave an empty answer." : text
        let end = RunEnd(status: .completed, error: nil, category: nil)
        return usageReport() + [
            .publish(.callFinished), .storeAnswer(answer), .publish(.answer(answer)),
            .publish(.updated("idle")), .publish(.status("idle")), .publish(.finished(end)), .end(end),
        ]
    }

    private func usageReport() -> [Action] {
        guard let choice else { return [] }
        if let usage { return [.publish(.usage(usage, choice, isEstimate: false))] }
        let completion = (text.unicodeScalars.count + 3) / 4
        let estimate = ModelUsage(
            prompt: Int64(promptTokens),
            completion: Int64(completion),
            total: Int64(promptTokens + completion)
        )
        return [.publish(.usage(estimate, choice, isEstimate: true))]
    }

    /// The model could not be called at all.
    private mutating func refused(_ failure: RunFailure) -> [Action] {
        let report = self.report(history + [ModelMessage(.user, modelText)])
        return [.publish(.contextSelected(report)), .publish(.toolsRouted), .publish(.callStarted)]
            + callFailed(failure)
    }

    private mutating func callFailed(_ failure: RunFailure) -> [Action] {
        let named = prompt.model
        let actions: [Action] = [
            .publish(
                .callFailed(
                    failure,
                    providerID: choice?.providerID ?? named?.providerID ?? "",
                    modelID: choice?.modelID ?? named?.modelID ?? ""
                )
            ),
            .publish(.updated("failed", error: failure.message)), .publish(.status("failed", error: failure.message)),
        ]
        return actions + close(failure, .error)
    }

    private mutating func fail(_ failure: RunFailure, _ status: RunEnd.Status) -> [Action] {
        let stop: [Action] = phase == .calling ? [.stopCall] : []
        return stop + close(failure, status)
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
        let stop: [Action] = phase == .calling ? [.stopCall] : []
        phase = .over
        let end = RunEnd(status: .cancelled, error: nil, category: "user_cancelled")
        return stop + keptText() + [.publish(.status("cancelled")), .publish(.finished(end)), .end(end)]
    }

    private func keptText() -> [Action] { text.allSatisfy(\.isWhitespace) ? [] : [.storeAnswer(text)] }

    private func report(_ messages: [ModelMessage]) -> ContextReport {
        let said = history.reduce(0) { $0 + $1.content.unicodeScalars.count } + modelText.unicodeScalars.count
        return ContextReport(
            mode: prompt.contextMode.window(for: prompt.text).name,
            historyMessages: history.count + 1,
            historyCharacters: said,
            droppedMessages: droppedMessages,
            systemCharacters: system.unicodeScalars.count,
            messages: messages.count,
            characters: said + system.unicodeScalars.count
        )
    }
}

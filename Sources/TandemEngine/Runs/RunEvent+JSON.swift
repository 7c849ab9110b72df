internal import TandemJSON
internal import TandemProviders

/// Who a run is: the names that its events carry.
struct RunNames: Equatable, Sendable {
    let sessionID: String
    let runID: String
    let userMessageID: String
    let answerID: String
    var clientID: String?
    var agentID: String?
    var agentProfile: String?
    var correlationID: String?
}

extension RunEvent {
    /// The properties; `partID` makes a new part's name and `now` tells the time, where the event has them.
    func properties(_ names: RunNames, partID: () -> String, now: () -> Int64) -> JSONText {
        JSONWriter.object { writer in
            writer.member("sessionID", names.sessionID)
            switch self {
            case .started: writeStart(&writer, names, now())
            case .status(let status, let error), .updated(let status, let error):
                writer.member("status", status)
                writer.optional("error", error)
            case .echo(let text):
                writer.member("agent", "build")
                writePart(&writer, names, names.userMessageID, text, partID(), delta: true)
            case .delta(let text): writePart(&writer, names, names.userMessageID, text, partID(), delta: true)
            case .answer(let text): writePart(&writer, names, names.answerID, text, partID(), delta: false)
            case .failed(let failure):
                writer.member(
                    "error",
                    object: { writer in
                        writer.member("code", failure.code)
                        writer.member("message", failure.message)
                    }
                )
            case .finished(let end): writeEnd(&writer, names, end, now())
            case .tool(let event): event.write(to: &writer, names)
            case .deleteDeferred:
                writer.member("runID", names.runID)
                writer.member("cancelRequested", true)
                writer.member("reason", "active_run")
            default: writeCall(&writer, names)
            }
        }
    }

    private func writeStart(_ writer: inout JSONWriter, _ names: RunNames, _ now: Int64) {
        writer.member("runID", names.runID)
        writer.member("startedAtMs", now)
        writer.nullable("clientID", names.clientID)
        writer.nullable("agentID", names.agentID)
        writer.nullable("agentProfile", names.agentProfile)
        writer.member("environment", EngineContext.environment)
        writer.member("tenantContext", EngineContext.tenant)
    }

    private func writeEnd(_ writer: inout JSONWriter, _ names: RunNames, _ end: RunEnd, _ now: Int64) {
        writer.member("runID", names.runID)
        writer.member("finishedAtMs", now)
        writer.member("status", end.status.rawValue)
        writer.nullable("error", end.error)
        writer.nullable("failureCategory", end.category)
        writer.member("tenantContext", EngineContext.tenant)
    }

    private func writePart(
        _ writer: inout JSONWriter,
        _ names: RunNames,
        _ messageID: String,
        _ text: String,
        _ partID: String,
        delta: Bool
    ) {
        writer.member("runID", names.runID)
        writer.member(
            "part",
            object: { writer in
                writer.member("id", partID)
                writer.member("sessionID", names.sessionID)
                writer.member("messageID", messageID)
                writer.member("type", "text")
                writer.member("text", text)
            }
        )
        if delta { writer.member("delta", text) }
    }

    /// What belongs to one call of a model.
    private func writeCall(_ writer: inout JSONWriter, _ names: RunNames) {
        writer.member("messageID", names.userMessageID)
        switch self {
        case .contextSelected(let report, let round):
            writer.member("iteration", round.number)
            writer.member("contextMode", report.mode)
            writer.member("historyMessageCount", report.historyMessages)
            writer.member("historyCharCount", report.historyCharacters)
            writer.member("memoryInjected", false)
        case .toolsRouted(let round): RunEvent.writeRouting(&writer, round)
        case .callStarted(let round):
            writer.member("iteration", round.number)
            writer.member("selectedToolCount", round.offer.tools.count)
        case .budget(let report, let choice, let round):
            writer.member("iteration", round.number)
            RunEvent.writeBudget(&writer, report, choice, round, names)
        case .usage(let usage, let choice, let isEstimate):
            writer.member("providerID", choice.providerID)
            writer.member("modelID", choice.modelID)
            writer.member("promptTokens", usage.prompt)
            writer.member("completionTokens", usage.completion)
            writer.member("totalTokens", usage.total)
            writer.member("usageSource", isEstimate ? "estimated" : "provider")
            writer.nullable("correlationID", names.correlationID)
        case .callFinished(let round, let end):
            writer.member("iteration", round.number)
            writer.member("finishReason", end.reason.rawValue)
            writer.member("acceptedToolCalls", end.accepted)
            writer.member("rejectedToolCalls", end.rejected)
        case .callFailed(let failure, let providerID, let modelID, let round):
            writer.member("iteration", round.number)
            writer.member(
                "errorCode",
                failure.code == "ENGINE_DISPATCH_FAILED" ? "PROVIDER_REQUEST_FAILED" : failure.code
            )
            writer.member("error", failure.message)
            writer.member("providerID", providerID)
            writer.member("modelID", modelID)
        case .roundsSpent: writer.member("maxIterations", ToolLoop.rounds)
        default: break
        }
    }

    private static func writeRouting(_ writer: inout JSONWriter, _ round: Round) {
        writer.member("iteration", round.number)
        writer.member("pass", 1)
        writer.member("mode", round.offer.tools.isEmpty ? ToolMode.none.rawValue : round.mode.rawValue)
        writer.member("selectedToolCount", round.offer.tools.count)
        writer.member("totalAvailableTools", round.offer.available)
        writer.member("mcpIncluded", false)
        writer.member("offeredTools", array: { writer in for name in round.offer.names { writer.string(name) } })
    }

    private static func writeBudget(
        _ writer: inout JSONWriter,
        _ report: ContextReport,
        _ choice: ModelChoice,
        _ round: Round,
        _ names: RunNames
    ) {
        writer.member("providerID", choice.providerID)
        writer.member("modelID", choice.modelID)
        writer.member("contextMode", report.mode)
        writer.member("fullContextMode", report.mode == "full")
        writer.member("finalMessageCount", report.messages)
        writer.member("finalMessageChars", report.characters)
        writer.member("estimatedTotalChars", report.characters)
        writer.member("estimatedPromptTokens", report.tokens)
        writer.member("droppedHistoryMessages", report.droppedMessages)
        writer.member("toolSchemaCount", round.offer.tools.count)
        writer.member("toolSchemaChars", round.schemaCharacters)
        writer.nullable("correlationID", names.correlationID)
    }
}

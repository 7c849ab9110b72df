internal import TandemContract
internal import TandemJSON
internal import TandemProviders

/// What a run tells the world, in the engine's vocabulary.
enum RunEvent: Equatable {
    case started
    case status(String, error: String? = nil)
    case updated(String, error: String? = nil)
    /// The user's words, as they were stored.
    case echo(String)
    case contextSelected(ContextReport, Round)
    case toolsRouted(Round)
    case callStarted(Round)
    case budget(ContextReport, ModelChoice, Round)
    case delta(String)
    case usage(ModelUsage, ModelChoice, isEstimate: Bool)
    case callFinished(Round, CallEnd)
    case callFailed(RunFailure, providerID: String, modelID: String, Round)
    /// The model was called as often as a run may.
    case roundsSpent
    case tool(ToolEvent)
    case answer(String)
    case failed(RunFailure)
    case finished(RunEnd)
    case deleteDeferred

    static let finishedType = EngineEventName.sessionRunFinished

    var type: String {
        switch self {
        case .started: EngineEventName.sessionRunStarted
        case .status: EngineEventName.sessionStatus
        case .updated: EngineEventName.sessionUpdated
        case .tool(let event): event.type
        case .echo, .delta, .answer: EngineEventName.messagePartUpdated
        case .contextSelected: EngineEventName.contextProfileSelected
        case .toolsRouted: EngineEventName.toolRoutingDecision
        case .callStarted: EngineEventName.providerCallIterationStart
        case .budget: EngineEventName.contextBudgetFinal
        case .usage: EngineEventName.providerUsage
        case .callFinished: EngineEventName.providerCallIterationFinish
        case .callFailed: EngineEventName.providerCallIterationError
        case .roundsSpent: EngineEventName.providerCallIterationBudgetExhausted
        case .failed: EngineEventName.sessionError
        case .finished: RunEvent.finishedType
        case .deleteDeferred: EngineEventName.sessionDeleteDeferred
        }
    }
}

/// One call of the model, of those that a run makes.
struct Round: Equatable {
    var number = 1
    var mode = ToolMode.auto
    var offer = ToolOffer.none

    /// The characters that the offered tools take.
    var schemaCharacters: Int {
        offer.tools.reduce(0) {
            $0 + $1.name.utf8.count + $1.model.description.utf8.count + $1.model.parameters.bytes.count
        }
    }
}

/// How a call of the model ended.
struct CallEnd: Equatable {
    enum Reason: String {
        case completion = "provider_completion"
        /// The model is called again, with the results of its tools.
        case followup = "tool_followup"
        /// It is called again and has to do without tools.
        case summary = "tool_summary"
        case requiredUnsatisfied = "required_tool_unsatisfied"
        /// It is called again because what it wrote as arguments cannot be read.
        case invalidArguments = "invalid_tool_args_retry"
    }

    let reason: Reason
    var accepted = 0
    var rejected = 0
}

/// How a run ended.
struct RunEnd: Equatable {
    enum Status: String { case completed, error, timeout, cancelled }

    let status: Status
    let error: String?
    let category: String?
}

/// What the model is shown of a conversation, in numbers.
struct ContextReport: Equatable {
    let mode: String
    let historyMessages: Int
    let historyCharacters: Int
    var droppedMessages = 0
    var systemCharacters = 0
    /// All messages of the request.
    var messages = 0
    var characters = 0

    /// About four characters make a token.
    var tokens: Int { (characters + 3) / 4 }
}

/// A call that takes more than one request: a value that says what to do next (contract/recipes.json).
///
/// Whoever performs the steps sends, waits and gives the outcome back; the steps themselves do neither I/O nor waiting.
package protocol CallSteps: Sendable {
    /// What has been learned of models, for the prompts after this call; nil: nothing.
    var knowledge: ModelKnowledge? { get }

    mutating func begin() -> Step

    /// After a request's answer.
    mutating func next(_ result: Result<Reply, Failure>) -> Step

    /// After a pause.
    mutating func resume() -> Step
}

package enum CallStep: Sendable {
    case send(Request)
    case pause(milliseconds: Int64)
    case end(Result<Reply, Failure>)
}

extension CallSteps {
    package typealias Step = CallStep

    package var knowledge: ModelKnowledge? { nil }

    package mutating func resume() -> Step { begin() }
}

extension Recipe {
    /// The steps of a call; nil: its one request is all there is to do.
    package static func steps(
        _ operation: Operation,
        _ plan: Plan,
        completesModel: Bool,
        _ knowledge: ModelKnowledge
    ) -> (any CallSteps)? {
        if let pages = operation.pages, plan.options.wantsAll { return PageSteps(pages, plan) }
        if plan.options.isStrict { return nil }
        switch operation.recipe {
        case "prompt", "prompt_sync":
            guard PromptSteps.areNeeded(operation, plan, completesModel: completesModel) else { return nil }
            return PromptSteps(operation, plan, completesModel: completesModel, knowledge)
        case "answer_question": return QuestionAnswerSteps(plan.request)
        case "mission_event": return MissionEventSteps(plan.request)
        case "destination_upsert", "destination_remove", "route_upsert", "route_remove":
            return MonitorConfigSteps(operation, plan.request)
        default: return nil
        }
    }
}

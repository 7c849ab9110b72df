import Testing

@testable import TandemContract

/// What the contract names, and where it is tested: a new name has to come with its tests.
@Suite struct TranslationNamesTests {
    private typealias Operation = TandemContract.Operation

    /// By their words: of a value (AdaptTests), of several (AdaptBodyTests, PlanTests), with a way back.
    private static let adapts: Set<String> = [
        "agent_role", "approve_or_reject", "comma_list", "cron_text", "default_model", "instance_status", "json_text",
        "misfire_text", "model_text", "one_text_part", "optimization_action", "path_source", "skill_location",
        "type_text", "without_nulls", "from_path", "memory_metadata", "memory_partition", "memory_promotion",
        "routine_filter", "text_content", "whole_body", "memory_filter", "resource_key",
    ]

    /// Of one request (RecipeTests), of several (their steps' tests), of nothing but the request's own arguments.
    private static let recipes: Set<String> = [
        "prompt", "prompt_sync", "pending_requests", "conflict_is_readiness", "ok_false_is_an_answer",
        "optimization_action", "answer_question", "mission_event", "destination_upsert", "destination_remove",
        "route_upsert", "route_remove", "fixed_arguments", "default_model", "run",
    ]

    private var all: [Operation] { Operation.allNames.compactMap(Operation.named) }

    @Test func everyAdaptIsKnown() {
        #expect(Set(all.flatMap(\.arguments).compactMap(\.adapt)) == Self.adapts)
    }

    @Test func everyRecipeIsKnownOrAnOperation() {
        let recipes = Set(all.compactMap(\.recipe))
        #expect(recipes.filter { !$0.contains(".") } == Self.recipes)
        for name in recipes where name.contains(".") { #expect(Operation.named(name) != nil, "\(name)") }
    }

    @Test func operationsInPagesSayHow() throws {
        let paged = all.filter { $0.pages != nil }.map(\.name)
        #expect(
            paged == ["engine.run_events", "memory.list", "sessions.list", "stateful_runtime.list_goal_events"]
        )
        for name in paged { #expect(try operation(name).description["pages"]?["argument"] != nil) }
    }
}

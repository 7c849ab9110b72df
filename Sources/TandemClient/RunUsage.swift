internal import TandemJSON

/// The tokens of a run's model calls, summed up.
struct RunUsage: Sendable, Equatable {
    private(set) var promptTokens: Int64 = 0
    private(set) var completionTokens: Int64 = 0
    private(set) var totalTokens: Int64 = 0
    /// The engine counted at least one of them, not the model's server.
    private(set) var isEstimated = false

    /// With the numbers of one more call, the properties of `run.usage`.
    func adding(_ properties: JSONText) -> RunUsage {
        var sum = self
        let prompt = max(0, properties["prompt_tokens"]?.integer ?? 0)
        let completion = max(0, properties["completion_tokens"]?.integer ?? 0)
        sum.promptTokens &+= prompt
        sum.completionTokens &+= completion
        sum.totalTokens &+= max(0, properties["total_tokens"]?.integer ?? prompt &+ completion)
        sum.isEstimated = isEstimated || properties["source"]?.string == "estimated"
        return sum
    }

    func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("prompt_tokens", promptTokens)
            writer.member("completion_tokens", completionTokens)
            writer.member("total_tokens", totalTokens)
            writer.member("estimated", isEstimated)
        }
    }
}

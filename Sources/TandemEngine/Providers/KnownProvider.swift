/// The providers that everybody may name, with what is known of them.
struct KnownProvider: Sendable {
    let id: String
    let name: String
    var baseURL: String?
    var model: String?
    /// Speaks a protocol that is not built in yet.
    var isForeign = false

    static let all = [
        KnownProvider(
            id: "openrouter",
            name: "OpenRouter",
            baseURL: "https://openrouter.ai/api/v1",
            model: "openai/gpt-4o-mini"
        ),
        KnownProvider(id: "openai", name: "OpenAI", baseURL: "https://api.openai.com/v1", model: "gpt-5.2"),
        KnownProvider(id: "openai-codex", name: "OpenAI Codex", isForeign: true),
        KnownProvider(id: "anthropic", name: "Anthropic", isForeign: true),
        KnownProvider(id: "ollama", name: "Ollama", baseURL: "http://127.0.0.1:11434/v1", model: "llama3.1:8b"),
        KnownProvider(id: "llama_cpp", name: "llama.cpp", baseURL: "http://127.0.0.1:8080/v1", model: "llm"),
        KnownProvider(
            id: "groq",
            name: "Groq",
            baseURL: "https://api.groq.com/openai/v1",
            model: "llama-3.1-8b-instant"
        ),
        KnownProvider(
            id: "mistral",
            name: "Mistral",
            baseURL: "https://api.mistral.ai/v1",
            model: "mistral-small-latest"
        ),
        KnownProvider(
            id: "together",
            name: "Together",
            baseURL: "https://api.together.xyz/v1",
            model: "meta-llama/Llama-3.1-8B-Instruct-Turbo"
        ),
        KnownProvider(id: "cohere", name: "Cohere", isForeign: true),
        KnownProvider(id: "azure", name: "Azure OpenAI"),
        KnownProvider(id: "bedrock", name: "Bedrock"),
        KnownProvider(id: "vertex", name: "Vertex"),
        KnownProvider(id: "copilot", name: "GitHub Copilot"),
    ]

    static func named(_ id: String) -> KnownProvider? { all.first { $0.id == (id == "llama.cpp" ? "llama_cpp" : id) } }

    /// The ids of servers on this machine.
    static func isLocal(_ id: String) -> Bool { ["ollama", "llama_cpp", "llama.cpp"].contains(id) }
}

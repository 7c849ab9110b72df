import TandemProviders
import Testing

@Suite struct ProviderAddressTests {
    @Test(arguments: [
        ("https://api.openai.com", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1"),
        ("http://127.0.0.1:8080/v1/chat/completions", "http://127.0.0.1:8080/v1"),
        ("http://h/v1/completions/", "http://h/v1"),
        ("http://h/v1/models//", "http://h/v1"),
        ("http://h/v1/v1/v1", "http://h/v1"),
        ("https://api.groq.com/openai/v1", "https://api.groq.com/openai/v1"),
        ("https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/paas/v4"),
        ("https://g.example/v1beta/openai", "https://g.example/v1beta/openai"),
        ("https://v1.example.org", "https://v1.example.org/v1"),
        ("https://x.example/vision", "https://x.example/vision/v1"),
        (" 127.0.0.1:8080 ", "http://127.0.0.1:8080/v1"),
        ("api.example.org", "https://api.example.org/v1"),
    ]) func spellingsMeanOneAddress(text: String, base: String) {
        #expect(ProviderAddress(text).base == base)
    }

    @Test func deploymentKeepsItsPathAndQuery() {
        let address = ProviderAddress("https://x.azure.com/openai/deployments/gpt/chat/completions?api-version=2")
        #expect(address.chatCompletions == "https://x.azure.com/openai/deployments/gpt/chat/completions?api-version=2")
    }
}

import Testing

@testable import TandemEngine

@Suite struct ContextModeTests {
    @Test(arguments: [
        (ContextMode.auto, "hello there", "auto_compact"), (.compact, "x", "compact"), (.full, "x", "full"),
        (.auto, "one two three four five six seven eight nine ten eleven", "auto_standard"),
        (.auto, String(repeating: "x", count: 73), "auto_standard"),
    ])
    func eachModeHasItsWindow(mode: ContextMode, prompt: String, name: String) {
        #expect(mode.window(for: prompt).name == name)
    }
}

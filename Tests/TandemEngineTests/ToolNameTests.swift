import Testing

@testable import TandemEngine

@Suite struct ToolNameTests {
    @Test(arguments: [
        ("add", "add"), (" Add-Two ", "add_two"), ("functions.read", "read"), ("tool.", "tool."),
        ("default_api:read", "read"), ("todowrite", "todo_write"), ("update_todo_list", "todo_write"), ("", ""),
    ]) func spellingsOfANameAreOne(name: String, canonical: String) { #expect(ToolName.canonical(name) == canonical) }

    @Test(arguments: [
        ("add", "add", true), ("add", "add_two", false), ("*", "add", true), ("a*", "add", true), ("*d", "add", true),
        ("a*d", "add", true), ("a*x*d", "add", false), ("a**d", "ad", true), ("a*a", "a", false), ("", "add", false),
        ("file_*_all", "file_read_all", true), ("file_*_all", "file_all", false), ("FILE-*", "file_read", true),
        ("*b*b*", "abab", true), ("*b*b*b*", "abab", false),
    ]) func aPatternMayHaveStarsAnywhere(pattern: String, name: String, matches: Bool) {
        #expect(ToolName.pattern(pattern, matches: name) == matches)
    }
}

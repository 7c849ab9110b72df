import TandemJSON
import Testing

@testable import TandemEngine

@Suite struct TodoStoreTests {
    @Test func itemsGetAnIdAndAStatus() throws {
        let arguments = try JSONText(
            checking: #"{"todos":[{"content":"a"},{"id":"x","text":"b","status":"completed"},{"content":" "},"c",3]}"#
        )
        #expect(
            TodoStore.list(arguments)?.elements.map(\.text) == [
                #"{"id":"todo-1","content":"a","status":"pending"}"#, #"{"id":"x","content":"b","status":"completed"}"#,
                #"{"id":"todo-3","content":"c","status":"pending"}"#,
            ]
        )
    }

    @Test(arguments: ["{}", #"{"todos":"a"}"#]) func whatIsNoListIsNone(arguments: String) throws {
        #expect(TodoStore.list(try JSONText(checking: arguments)) == nil)
    }
}

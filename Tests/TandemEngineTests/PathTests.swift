import Testing

@testable import TandemEngine

@Suite struct PathTests {
    @Test(arguments: [("/a", "/a"), ("/a/b", "/a"), ("/a", "/"), ("/a/\u{301}b", "/a")])
    func isInsideItsDirectory(path: String, directory: String) {
        #expect(Path.isInside(path, directory))
    }

    // The last two look the same and are two directories.
    @Test(arguments: [
        ("/ab", "/a"), ("/", "/a"), ("/b/a", "/a"), ("/e\u{301}/file", "/\u{E9}"), ("/e\u{301}", "/\u{E9}"),
    ])
    func isOutside(path: String, directory: String) {
        #expect(!Path.isInside(path, directory))
    }
}

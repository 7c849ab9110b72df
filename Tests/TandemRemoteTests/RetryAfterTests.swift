import Testing

@testable import TandemRemote

@Suite struct RetryAfterTests {
    private static let table: [(String, Int64?)] = [
        ("0", 0), ("7", 7_000), ("-1", nil), ("soon", nil), ("", nil), ("Thu, 01 Jan 1970 00:01:00 GMT", 59_000),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_776_000),
        ("Tue, 29 Feb 2000 12:00:00 GMT", 951_825_599_000), ("Sun, 06 Nov 1994 25:49:37 GMT", nil),
        ("Sun, 06 Foo 1994 08:49:37 GMT", nil), ("Sun, 06 Nov 1994 08:49:37 CET", nil),
    ]

    @Test(arguments: table) func secondsAndDates(text: String, milliseconds: Int64?) {
        #expect(RetryAfter.milliseconds(text, now: 1_000) == milliseconds)
    }
}

import Testing

@testable import TandemEngine

@Suite struct TimestampTests {
    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000000000Z"), (1_795_346_196_675, "2026-11-22T11:16:36.675000000Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000000000Z"), (-1, "1969-12-31T23:59:59.999000000Z"),
    ])
    func timesAreWrittenWithNineDecimals(milliseconds: Int64, text: String) {
        #expect(Timestamp.text(milliseconds: milliseconds) == text)
    }
}

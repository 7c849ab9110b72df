import Testing

@testable import TandemRemote

@Suite struct LatencyHistogramTests {
    private func histogram(_ values: some Sequence<UInt64>) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        for value in values { histogram.record(value) }
        return histogram
    }

    @Test func nothingRecordedHasNoQuantiles() {
        let empty = LatencyHistogram()
        #expect(empty.percentile(50) == nil)
        #expect(empty.longest == nil)
    }

    @Test func smallValuesAreExact() {
        let small = histogram(0..<64)
        #expect(small.percentile(50) == 31)
        #expect(small.percentile(99) == 63)
        #expect(small.longest == 63)
    }

    @Test func theHalfOfTwoIsTheFirst() {
        #expect(histogram([3, 9]).percentile(50) == 3)
        #expect(histogram([3, 9]).percentile(51) == 9)
    }

    @Test func aQuantileIsRightWithinTwoPercent() {
        var random = SystemRandomNumberGenerator()
        let values = (0..<10_000).map { _ in UInt64.random(in: 1...1 << UInt64.random(in: 1...31), using: &random) }
        let sorted = values.sorted()
        let recorded = histogram(values)
        for percent in [1, 10, 50, 90, 99] as [UInt64] {
            let exact = Double(sorted[Int(percent) * 100 - 1])
            let found = Double(recorded.percentile(percent) ?? 0)
            #expect(abs(found - exact) <= exact * 0.02 + 0.5, "p\(percent): \(found) for \(exact)")
        }
        #expect(recorded.longest == sorted.last)
    }

    @Test func noQuantileIsBeyondTheLongest() {
        let one = histogram([1_000_001])
        #expect(one.percentile(50).map { $0 <= 1_000_001 } == true)
        #expect(one.percentile(100) == one.percentile(1))
    }

    @Test func valuesBeyondTheBucketsCountAsTheLast() {
        let extreme = histogram([UInt64.max, 1 << 32, (1 << 32) - 1, 0])
        #expect(extreme.percentile(25) == 0)
        #expect(extreme.longest == UInt64.max)
        #expect((extreme.percentile(50) ?? 0) > 1 << 31)
    }

    @Test func everyPowerOfTwoFallsIntoItsOwnBucket() {
        for bit in 0..<32 as Range<UInt64> {
            let value = UInt64(1) << bit
            let found = histogram([value, UInt64.max]).percentile(50) ?? 0
            #expect(found >= value && Double(found) <= Double(value) * 1.02, "\(value): \(found)")
        }
    }
}

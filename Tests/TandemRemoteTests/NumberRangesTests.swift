import TandemSystem
import Testing

@testable import TandemRemote

@Suite struct NumberRangesTests {
    private func ranges(_ numbers: Int64..., limit: Int = 16_384) -> NumberRanges {
        var ranges = NumberRanges(limit: limit)
        for number in numbers { ranges.insert(number) }
        return ranges
    }

    @Test func itHoldsWhatAnySetWouldHold() {
        let random = Random(seed: 3)
        var ranges = NumberRanges()
        var known: Set<Int64> = []
        for _ in 0..<2_000 {
            let number = Int64(random.next() % 300)
            if random.next() % 40 == 0 {
                ranges.remove(from: number)
                known = known.filter { $0 < number }
            } else {
                ranges.insert(number)
                known.insert(number)
            }
            let probe = Int64(random.next() % 300)
            #expect(ranges.contains(probe) == known.contains(probe))
            #expect(ranges.first == known.min())
        }
    }

    @Test func theSameNumbersAreTheSameSetInAnyOrder() {
        #expect(ranges(1, 2, 3, 7, 8) == ranges(8, 3, 1, 7, 2, 2))
    }

    @Test func theEndsOfTheirTypeAreNumbersToo() {
        let ranges = ranges(.max, .min, .max - 1)
        #expect(ranges.contains(.max) && ranges.contains(.min) && ranges.contains(.max - 1) && !ranges.contains(0))
    }

    @Test func moreRangesThanAllowedAreNotKeptAndItSaysSo() {
        #expect(!ranges(1, 3, 5, limit: 3).isIncomplete)
        let full = ranges(1, 3, 5, 7, 2, limit: 3)
        #expect(full.isIncomplete)
        #expect(full.contains(2) && !full.contains(7))
    }
}

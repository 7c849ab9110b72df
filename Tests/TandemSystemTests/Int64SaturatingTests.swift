import Testing

@testable import TandemSystem

@Suite struct Int64SaturatingTests {
    @Test func whatFitsIsExact() {
        #expect(Int64(5).saturatingAdd(-7) == -2)
        #expect(Int64(5).saturatingSubtract(-7) == 12)
        #expect(Int64.max.saturatingSubtract(.max) == 0)
    }

    @Test func whatDoesNotFitIsTheNearestNumber() {
        #expect(Int64.max.saturatingAdd(1) == .max)
        #expect(Int64.min.saturatingAdd(-1) == .min)
        #expect(Int64.min.saturatingSubtract(1) == .min)
        #expect(Int64(0).saturatingSubtract(.min) == .max)
    }
}

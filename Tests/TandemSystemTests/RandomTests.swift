import TandemSystem
import Testing

@Suite struct RandomTests {
    @Test func seedDecidesTheSequence() {
        let (first, second, other) = (Random(seed: 7), Random(seed: 7), Random(seed: 8))
        let numbers = (0..<100).map { _ in first.next() }
        #expect(numbers == (0..<100).map { _ in second.next() })
        #expect(numbers != (0..<100).map { _ in other.next() })
        #expect(Set(numbers).count == 100)
    }

    @Test func identifiersHaveTheFormOfVersion4() {
        let random = Random()
        for _ in 0..<200 {
            let parts = random.uuid().split(separator: "-")
            #expect(parts.map(\.count) == [8, 4, 4, 4, 12])
            #expect(parts[2].first == "4")
            #expect(parts[3].first.map { "89ab".contains($0) } == true)
            #expect(parts.joined().allSatisfy { "0123456789abcdef".contains($0) })
        }
    }

    @Test func identifiersDiffer() {
        let random = Random()
        #expect(Set((0..<1_000).map { _ in random.uuid() }).count == 1_000)
    }
}

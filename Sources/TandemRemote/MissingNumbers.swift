internal import TandemSystem

/// Numbers that an unfiltered stream did not bring, and how many of them the logs have not given back: a value.
struct MissingNumbers {
    private var ranges: [ClosedRange<Int64>] = []
    private var count: Int64 = 0
    private var recentlyHealed: [Int64] = []

    private static let remembered = 256

    var isEmpty: Bool { ranges.isEmpty }

    mutating func lose(_ numbers: ClosedRange<Int64>) {
        let lost = numbers.upperBound.saturatingSubtract(numbers.lowerBound).saturatingAdd(1)
        let healed = Int64(recentlyHealed.count { numbers.contains($0) })
        count = count.saturatingAdd(lost.saturatingSubtract(healed))
        if ranges.count < MissingNumbers.remembered { ranges.append(numbers) }
    }

    /// What the logs gave back is not lost.
    mutating func heal(_ numbers: some Sequence<Int64>) {
        for seq in numbers {
            if ranges.contains(where: { $0.contains(seq) }) { count -= 1 }
            recentlyHealed.append(seq)
        }
        recentlyHealed = recentlyHealed.suffix(MissingNumbers.remembered)
    }

    /// How many are lost: no log gives them back any more.
    mutating func settle() -> Int64 {
        defer { forget() }
        return max(count, 0)
    }

    mutating func forget() {
        ranges = []
        count = 0
    }
}

/// A set of numbers that mostly follow one another: a value.
struct NumberRanges: Equatable {
    private var ranges: [ClosedRange<Int64>] = []
    /// Numbers were left out because they were too scattered to be kept.
    private(set) var isIncomplete = false

    /// As many ranges are kept.
    private let limit: Int

    init(limit: Int = 16_384) { self.limit = limit }

    var first: Int64? { ranges.first?.lowerBound }

    func contains(_ number: Int64) -> Bool {
        let place = place(of: number)
        return place < ranges.count && ranges[place].contains(number)
    }

    mutating func insert(_ number: Int64) {
        let place = place(of: number)
        if place < ranges.count, ranges[place].contains(number) { return }
        let before = place > 0 && number > .min && ranges[place - 1].upperBound == number - 1
        let after = place < ranges.count && number < .max && ranges[place].lowerBound == number + 1
        switch (before, after) {
        case (true, true):
            ranges[place - 1] = ranges[place - 1].lowerBound...ranges[place].upperBound
            ranges.remove(at: place)
        case (true, false): ranges[place - 1] = ranges[place - 1].lowerBound...number
        case (false, true): ranges[place] = number...ranges[place].upperBound
        case (false, false):
            if ranges.count >= limit { return isIncomplete = true }
            ranges.insert(number...number, at: place)
        }
    }

    /// Takes out that number and all above it.
    mutating func remove(from number: Int64) {
        ranges = ranges.compactMap { range in
            if range.upperBound < number { return range }
            return range.lowerBound < number ? range.lowerBound...(number - 1) : nil
        }
    }

    /// The first range that does not lie wholly below.
    private func place(of number: Int64) -> Int {
        var (low, high) = (0, ranges.count)
        // Numbers come in order, mostly.
        if let last = ranges.last, last.upperBound < number { return high }
        while low < high {
            let middle = (low + high) / 2
            if ranges[middle].upperBound < number { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

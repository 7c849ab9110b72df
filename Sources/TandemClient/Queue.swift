/// A first-in, first-out queue in one array: taking is as cheap as adding.
struct Queue<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }
    var first: Element? { isEmpty ? nil : elements[head] }
    var last: Element? { isEmpty ? nil : elements[elements.count - 1] }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        // Room is given back when half of the array is behind the head.
        if head > 32, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }

    /// The element so many behind the first.
    subscript(_ place: Int) -> Element? { place >= 0 && place < count ? elements[head + place] : nil }

    func firstPlace(where matches: (Element) -> Bool) -> Int? {
        (0..<count).first { place in self[place].map(matches) ?? false }
    }

    /// Takes an element out of the middle: that costs what stands behind it.
    mutating func remove(at place: Int) -> Element? {
        guard place > 0, place < count else { return place == 0 ? popFirst() : nil }
        return elements.remove(at: head + place)
    }

    mutating func replaceLast(_ element: Element) {
        if !isEmpty { elements[elements.count - 1] = element }
    }
}

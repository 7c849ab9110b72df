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

    mutating func keep(where isWanted: (Element) -> Bool) {
        elements = elements[head...].filter { $0.map(isWanted) ?? false }
        head = 0
    }

    mutating func replaceLast(_ element: Element) {
        if !isEmpty { elements[elements.count - 1] = element }
    }
}

import Testing

@testable import TandemClient

@Suite struct QueueTests {
    @Test func firstInIsFirstOut() {
        var queue = Queue<Int>()
        for number in 0..<5 { queue.append(number) }
        #expect(queue.count == 5)
        #expect(queue.first == 0)
        #expect(queue.last == 4)
        #expect((0..<5).compactMap { _ in queue.popFirst() } == [0, 1, 2, 3, 4])
        #expect(queue.isEmpty)
    }

    @Test func emptyQueueHasNothing() {
        var queue = Queue<Int>()
        #expect(queue.popFirst() == nil)
        #expect(queue.first == nil)
        #expect(queue.last == nil)
        queue.replaceLast(7)
        #expect(queue.isEmpty)
    }

    @Test func emptiedQueueHasNothing() {
        var queue = Queue<Int>()
        queue.append(1)
        _ = queue.popFirst()
        queue.replaceLast(7)
        #expect(queue.isEmpty)
        #expect(queue.first == nil)
        #expect(queue.last == nil)
        queue.append(2)
        #expect(queue.popFirst() == 2)
    }

    @Test func lastIsReplaced() {
        var queue = Queue<Int>()
        queue.append(1)
        queue.append(2)
        queue.replaceLast(9)
        #expect(queue.popFirst() == 1)
        #expect(queue.popFirst() == 9)
    }

    @Test func orderHoldsWhileRoomIsGivenBack() {
        var queue = Queue<Int>()
        var next = 0
        var taken: [Int] = []
        for round in 0..<300 {
            for _ in 0..<(round % 7) {
                queue.append(next)
                next += 1
            }
            for _ in 0..<(round % 5) { if let number = queue.popFirst() { taken.append(number) } }
        }
        while let number = queue.popFirst() { taken.append(number) }
        #expect(taken == Array(0..<next))
        #expect(queue.isEmpty)
    }
}

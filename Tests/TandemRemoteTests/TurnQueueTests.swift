import Testing

@testable import TandemRemote

@Suite struct TurnQueueTests {
    @Test func asManyAsTheLimitGoAtOnceTheRestInOrder() {
        var queue = TurnQueue<String>(limit: 2)
        #expect(queue.enter("a") == nil)
        #expect(queue.enter("b") == nil)
        #expect(queue.enter("c") != nil)
        #expect(queue.enter("d") != nil)
        #expect(queue.leave() == "c")
        #expect(queue.leave() == "d")
        #expect(queue.running == 2)
        #expect(queue.leave() == nil)
        #expect(queue.leave() == nil)
        #expect(queue.running == 0)
    }

    @Test func whoWithdrawsHasNoTurn() {
        var queue = TurnQueue<Int>(limit: 1)
        _ = queue.enter(0)
        let tickets = (1...4).compactMap { queue.enter($0) }
        #expect(tickets.count == 4)
        queue.withdraw(tickets[0])
        queue.withdraw(tickets[2])
        #expect(queue.waitingCount == 2)
        #expect(queue.leave() == 2)
        #expect(queue.leave() == 4)
        #expect(queue.leave() == nil)
        #expect(queue.running == 0)
    }

    @Test func withdrawingAfterOnesTurnChangesNothing() throws {
        var queue = TurnQueue<Int>(limit: 1)
        _ = queue.enter(0)
        let entered = queue.enter(1)
        let ticket = try #require(entered)
        #expect(queue.leave() == 1)
        queue.withdraw(ticket)
        #expect(queue.running == 1)
        #expect(queue.enter(2) != nil)
        #expect(queue.leave() == 2)
    }

    @Test func whoComesAfterAllHaveLeftGoesAtOnce() {
        var queue = TurnQueue<Int>(limit: 1)
        for round in 0..<3 {
            #expect(queue.enter(round) == nil)
            #expect(queue.leave() == nil)
        }
    }
}

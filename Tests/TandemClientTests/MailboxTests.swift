import TandemJSON
import Testing

@testable import TandemClient

@Suite struct MailboxTests {
    private static let function = HostFunction(function: 1, context: 2, drop: 3)
    private static let other = HostFunction(function: 4, context: 5, drop: 6)
    private let own = MailboxTests.function
    private let handler = MailboxTests.other

    private func mailbox(bytes: Int = 1 << 20, events: Int = 4_096, operations: Int = 100) -> Mailbox {
        var limits = Mailbox.Limits()
        limits.queueBytes = bytes
        limits.queueEvents = events
        limits.operations = operations
        return Mailbox(limits: limits)
    }

    private func event(_ name: String, run: String? = "r") -> Item {
        let context = EventContext(sessionID: "s", runID: run, atMilliseconds: 1)
        return .event(name, tag: nil, context, "properties", .emptyObject)
    }

    private func delta(_ text: String, run: String? = "r") -> Item {
        let context = EventContext(sessionID: "s", runID: run, atMilliseconds: 1)
        return Item(content: .delta(escaped: Array(text.utf8)), context: context)
    }

    private func json(_ delivery: Mailbox.Delivery?) throws -> JSONText {
        try JSONText(checking: #require(delivery).text)
    }

    private func types(_ take: () -> Mailbox.Delivery?) throws -> [String] {
        var types: [String] = []
        while let delivery = take() {
            let event = try json(delivery)
            types.append("\(delivery.operation) \(event["type"]?.string ?? "")")
        }
        return types
    }

    private func put(_ mailbox: inout Mailbox, _ items: (UInt64, String)...) {
        for (id, name) in items { #expect(mailbox.put(event(name), into: id) == .taken) }
    }

    private let done = JSONText.emptyObject

    // Order and takers.

    @Test func orderHoldsAcrossOperations() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        mailbox.open(2, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (2, "b"), (1, "c"), (2, "d"))
        #expect(mailbox.deliverable == 4)
        #expect(try types { mailbox.takeForPump() } == ["1 a", "2 b", "1 c", "2 d"])
        #expect(!mailbox.hasDeliverable)
    }

    @Test func numbersAreGivenAtDelivery() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        mailbox.open(2, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (2, "b"))
        _ = mailbox.own(1)
        #expect(try json(mailbox.takeForPump())["seq"]?.integer == 1)
        #expect(try json(mailbox.takeOwned(1))["seq"]?.integer == 2)
        #expect(mailbox.lastSeq == 2)
    }

    @Test func tagOfTheOperationIsInItsDone() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: try JSONText(checking: #""t""#), callback: own)
        _ = mailbox.finish(1, done)
        #expect(try json(mailbox.takeForPump())["tag"]?.string == "t")
    }

    @Test func ownFunctionGoesBeforeTheHandler() {
        var mailbox = mailbox()
        _ = mailbox.setHandler(handler)
        mailbox.open(1, tag: nil, callback: own)
        mailbox.open(2, tag: nil, callback: nil)
        put(&mailbox, (1, "a"), (2, "b"))
        #expect(mailbox.takeForPump()?.callback == .own(own))
        #expect(mailbox.takeForPump()?.callback?.host == handler)
    }

    @Test func pumpParksWhatNobodyClaims() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: nil)
        mailbox.open(2, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (2, "b"), (1, "c"))
        #expect(mailbox.hasDeliverable)
        #expect(try types { mailbox.takeForPump() } == ["2 b"])
        #expect(!mailbox.hasDeliverable)
        #expect(mailbox.queued == 2)
        #expect(mailbox.oldest() == .unclaimed)
        #expect(try types { mailbox.takeUnclaimed() } == ["1 a", "1 c"])
        #expect(mailbox.queued == 0)
    }

    @Test func handlerClaimsWhatWasParked() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: nil)
        put(&mailbox, (1, "a"), (1, "b"))
        #expect(mailbox.takeForPump() == nil)
        put(&mailbox, (1, "c"))
        #expect(mailbox.deliverable == 1)
        #expect(mailbox.setHandler(handler) == nil)
        #expect(mailbox.deliverable == 3)
        #expect(try types { mailbox.takeForPump() } == ["1 a", "1 b", "1 c"])
    }

    @Test func nextTakesTheUnclaimedUntilAClaimedOneIsOldest() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: nil)
        mailbox.open(2, tag: nil, callback: own)
        #expect(mailbox.oldest() == .none)
        put(&mailbox, (1, "a"), (2, "b"), (1, "c"))
        #expect(mailbox.oldest() == .unclaimed)
        #expect(try types { mailbox.takeUnclaimed() } == ["1 a"])
        #expect(mailbox.oldest() == .claimed)
        #expect(mailbox.takeUnclaimed() == nil)
        #expect(try types { mailbox.takeForPump() } == ["2 b"])
        #expect(mailbox.oldest() == .unclaimed)
        #expect(try types { mailbox.takeUnclaimed() } == ["1 c"])
    }

    // Waiters and pauses.

    @Test func waiterHasItsOperationForItself() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        mailbox.open(2, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (2, "b"))
        #expect(mailbox.own(1) == .owned)
        #expect(mailbox.own(1) == .busy)
        #expect(mailbox.own(3) == .unknown)
        put(&mailbox, (1, "c"))
        #expect(mailbox.deliverable == 1)
        #expect(try types { mailbox.takeForPump() } == ["2 b"])
        #expect(try types { mailbox.takeOwned(1) } == ["1 a", "1 c"])
        #expect(mailbox.takeOwned(2) == nil)
    }

    @Test func releasedOperationIsThePumpsAgain() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"))
        _ = mailbox.own(1)
        put(&mailbox, (1, "b"))
        mailbox.release(1)
        mailbox.release(1)
        #expect(mailbox.deliverable == 2)
        #expect(mailbox.takeOwned(1) == nil)
        #expect(try types { mailbox.takeForPump() } == ["1 a", "1 b"])
    }

    @Test func pausedOperationDeliversNothing() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"))
        #expect(mailbox.pause(1, true) == true)
        #expect(!mailbox.hasDeliverable)
        #expect(mailbox.takeForPump() == nil)
        #expect(mailbox.put(event("b"), into: 1) == .behind)
        #expect(mailbox.pause(1, true) == true)
        #expect(mailbox.pause(1, false) == true)
        #expect(try types { mailbox.takeForPump() } == ["1 a"])
        #expect(mailbox.pause(9, true) == false)
    }

    @Test func doneOfAPausedOperationWaits() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        _ = mailbox.pause(1, true)
        #expect(mailbox.finish(1, done) == true)
        #expect(!mailbox.hasDeliverable)
        _ = mailbox.pause(1, false)
        #expect(try types { mailbox.takeForPump() } == ["1 done"])
    }

    @Test func waiterLiftsAPause() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        _ = mailbox.pause(1, true)
        #expect(mailbox.put(event("a"), into: 1) == .behind)
        #expect(mailbox.own(1) == .owned)
        #expect(mailbox.takeResumable(1) == true)
        put(&mailbox, (1, "a"))
        #expect(try types { mailbox.takeOwned(1) } == ["1 a"])
    }

    @Test func waiterWithoutAFunctionThrowsEventsAway() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: nil)
        put(&mailbox, (1, "a"))
        _ = mailbox.own(1)
        put(&mailbox, (1, "b"))
        #expect(mailbox.takeOwned(1) == nil)
        #expect(mailbox.discarded == 2)
        _ = mailbox.finish(1, done)
        let taken = mailbox.takeOwned(1)
        let delivery = try #require(taken)
        #expect(delivery.result == done)
        #expect(delivery.callback == nil)
        #expect(delivery.text.isEmpty)
        #expect(mailbox.lastSeq == 0, "what nobody sees has no number")
        #expect(mailbox.own(1) == .unknown)
    }

    @Test func collectingWaiterKeepsEvents() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: nil)
        mailbox.setCollecting(1)
        _ = mailbox.own(1)
        put(&mailbox, (1, "a"))
        _ = mailbox.finish(1, done)
        #expect(try types { mailbox.takeOwned(1) } == ["1 a", "1 done"])
        #expect(mailbox.discarded == 0)
    }

    @Test func ticketsOfTakenOverOperationsAreNotKept() {
        var mailbox = mailbox()
        for id in 1...10_000 as ClosedRange<UInt64> {
            mailbox.open(id, tag: nil, callback: nil)
            _ = mailbox.finish(id, done)
            if id % 2 == 0 { _ = mailbox.takeForPump() }
            _ = mailbox.own(id)
            #expect(mailbox.takeOwned(id)?.result != nil)
        }
        #expect(mailbox.operations.isEmpty)
        #expect(mailbox.queued == 0)
        #expect(mailbox.ticketCount < 200)
        #expect(mailbox.oldest() == .none)
    }

    @Test func pausingOverAndOverKeepsNoTickets() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (1, "b"))
        for _ in 0..<1_000 {
            _ = mailbox.pause(1, true)
            _ = mailbox.pause(1, false)
        }
        #expect(mailbox.ticketCount < 200)
        #expect(try types { mailbox.takeForPump() } == ["1 a", "1 b"])
    }

    // Limits.

    @Test func neighbouringDeltasFoldWhereTheQueueIsFull() throws {
        var mailbox = mailbox(events: 2)
        mailbox.open(1, tag: nil, callback: own)
        for text in ["a", "b", "c", "\\n"] { #expect(mailbox.put(delta(text), into: 1) == .taken) }
        #expect(mailbox.folded == 2)
        #expect(mailbox.deliverable == 2)
        #expect(try json(mailbox.takeForPump()).at("properties", "delta")?.string == "a")
        #expect(try json(mailbox.takeForPump()).at("properties", "delta")?.string == "bc\n")
    }

    @Test func deltasFoldPastTheBytesToo() {
        var mailbox = mailbox(bytes: 500)
        mailbox.open(1, tag: nil, callback: own)
        for _ in 0..<10 { #expect(mailbox.put(delta("0123456789"), into: 1) == .taken) }
        #expect(mailbox.deliverable == 2)
        #expect(mailbox.folded == 8)
    }

    @Test func nothingFoldsWhileThereIsRoom() {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        for _ in 0..<10 { #expect(mailbox.put(delta("x"), into: 1) == .taken) }
        #expect(mailbox.folded == 0)
        #expect(mailbox.deliverable == 10)
    }

    @Test func deltasFoldNeitherAcrossEventsNorAcrossRuns() {
        for last in [event("x"), delta("x", run: "other"), delta("x", run: nil)] {
            var mailbox = mailbox(events: 1)
            mailbox.open(1, tag: nil, callback: own)
            #expect(mailbox.put(last, into: 1) == .taken)
            #expect(mailbox.put(delta("y"), into: 1) == .behind)
            #expect(mailbox.folded == 0)
            #expect(mailbox.deliverable == 1)
        }
    }

    @Test func foldedTextHasALimit() {
        var mailbox = mailbox(bytes: 8)
        mailbox.open(1, tag: nil, callback: own)
        #expect(mailbox.put(delta("12345"), into: 1) == .taken)
        #expect(mailbox.put(delta("678"), into: 1) == .taken)
        #expect(mailbox.put(delta("9"), into: 1) == .behind)
    }

    @Test func fullQueueIsBehindUntilItIsEmptyAndResumedOnce() {
        var mailbox = mailbox(events: 2)
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (1, "b"))
        #expect(mailbox.put(event("c"), into: 1) == .behind)
        #expect(mailbox.takeResumable(1) == false)
        _ = mailbox.takeForPump()
        #expect(mailbox.put(event("c"), into: 1) == .behind, "a queue with room again is no empty one")
        #expect(mailbox.takeResumable(1) == false)
        _ = mailbox.takeForPump()
        #expect(mailbox.takeResumable(1) == true)
        #expect(mailbox.takeResumable(1) == false)
        put(&mailbox, (1, "c"))
    }

    @Test func oneEventAlwaysFits() {
        var mailbox = mailbox(bytes: 1)
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "longer than the queue"))
        #expect(mailbox.put(event("b"), into: 1) == .behind)
    }

    @Test func forcedEventPassesTheLimits() {
        var mailbox = mailbox(events: 1)
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"))
        #expect(mailbox.put(event("b"), into: 1, isForced: true) == .taken)
        #expect(mailbox.deliverable == 2)
    }

    @Test func doneIsQueuedWhateverTheLimits() throws {
        var mailbox = mailbox(events: 1)
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"))
        #expect(mailbox.finish(1, done) == true)
        #expect(try types { mailbox.takeForPump() } == ["1 a", "1 done"])
    }

    // Ends.

    @Test func operationEndsOnce() {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        #expect(mailbox.finish(1, done) == true)
        #expect(mailbox.finish(1, done) == false)
        #expect(mailbox.finish(2, done) == false)
        #expect(mailbox.put(event("late"), into: 1) == .gone)
        #expect(mailbox.put(event("nowhere"), into: 2) == .gone)
        #expect(mailbox.deliverable == 1)
    }

    @Test func resultsThatNobodyTookAreCounted() throws {
        var limits = Mailbox.Limits()
        limits.resultBytes = 10
        var mailbox = Mailbox(limits: limits)
        mailbox.open(1, tag: nil, callback: own)
        _ = mailbox.finish(1, try JSONText(checking: #"{"ok":12345}"#))
        #expect(mailbox.resultBytes == 12)
        #expect(mailbox.isFull)
        _ = mailbox.takeForPump()
        #expect(mailbox.resultBytes == 0)
        #expect(!mailbox.isFull)
    }

    @Test func operationsAreCountedUntilTheirResultIsTaken() {
        var mailbox = mailbox(operations: 1)
        mailbox.open(1, tag: nil, callback: own)
        #expect(mailbox.isFull)
        _ = mailbox.finish(1, done)
        #expect(mailbox.isFull)
        _ = mailbox.takeForPump()
        #expect(!mailbox.isFull)
    }

    @Test func closeTakesTheDoneAndThrowsTheRestAway() throws {
        var mailbox = mailbox()
        _ = mailbox.setHandler(handler)
        mailbox.open(1, tag: nil, callback: own)
        mailbox.open(2, tag: nil, callback: nil)
        mailbox.open(3, tag: nil, callback: own)
        put(&mailbox, (1, "a"), (2, "b"), (1, "c"), (3, "d"))
        _ = mailbox.finish(1, done)
        _ = mailbox.finish(2, done)
        _ = mailbox.pause(2, true)
        var claims: [UInt64: HostFunction] = [:]
        while let delivery = mailbox.takeDoneForClose() {
            #expect(try json(delivery)["type"]?.string == "done")
            claims[delivery.operation] = delivery.callback?.host
        }
        #expect(claims == [1: own, 2: handler])
        #expect(mailbox.discarded == 3)
        #expect(mailbox.operations.keys.sorted() == [3])
        #expect(mailbox.deliverable == 1)
    }

    // Host functions.

    @Test func ownFunctionIsDroppedAfterItsLastEvent() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"))
        _ = mailbox.finish(1, done)
        let first = try #require(mailbox.takeForPump()?.callback)
        let last = try #require(mailbox.takeForPump()?.callback)
        #expect(mailbox.runningCallbacks == 2)
        #expect(mailbox.ended(last, 1) == nil, "another call of it still runs")
        #expect(mailbox.ended(first, 1) == own)
        #expect(mailbox.ended(first, 1) == nil)
        #expect(mailbox.runningCallbacks == 0)
    }

    @Test func eventBeforeTheLastDropsNothing() throws {
        var mailbox = mailbox()
        mailbox.open(1, tag: nil, callback: own)
        put(&mailbox, (1, "a"))
        let claim = try #require(mailbox.takeForPump()?.callback)
        #expect(mailbox.ended(claim, 1) == nil)
    }

    @Test func idleHandlerIsDroppedWhereItIsReplaced() {
        var mailbox = mailbox()
        #expect(mailbox.setHandler(handler) == nil)
        #expect(mailbox.setHandler(own) == handler)
        #expect(mailbox.setHandler(nil) == own)
        #expect(mailbox.setHandler(nil) == nil)
    }

    @Test func runningHandlerIsDroppedByItsLastCall() throws {
        var mailbox = mailbox()
        _ = mailbox.setHandler(handler)
        mailbox.open(1, tag: nil, callback: nil)
        put(&mailbox, (1, "a"), (1, "b"))
        let first = try #require(mailbox.takeForPump()?.callback)
        let second = try #require(mailbox.takeForPump()?.callback)
        #expect(mailbox.setHandler(own) == nil)
        #expect(mailbox.ended(first, 1) == nil)
        #expect(mailbox.ended(second, 1) == handler)
        #expect(mailbox.setHandler(nil) == own)
        #expect(mailbox.runningCallbacks == 0)
    }

    @Test func handlerThatIsSetAgainWhileItRunsIsDroppedTwice() throws {
        var mailbox = mailbox()
        _ = mailbox.setHandler(handler)
        mailbox.open(1, tag: nil, callback: nil)
        put(&mailbox, (1, "a"))
        let claim = try #require(mailbox.takeForPump()?.callback)
        #expect(mailbox.setHandler(handler) == nil)
        #expect(mailbox.ended(claim, 1) == handler)
        #expect(mailbox.setHandler(nil) == handler)
    }
}

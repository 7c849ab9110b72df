import TandemJSON
import Testing

@testable import TandemClient

@Suite struct MailboxTests: MailboxSuite {
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
}

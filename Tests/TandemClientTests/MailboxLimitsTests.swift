import TandemJSON
import Testing

@testable import TandemClient

@Suite struct MailboxLimitsTests: MailboxSuite {
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
}

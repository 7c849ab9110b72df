import TandemJSON
import Testing

@testable import TandemClient

@Suite struct MailboxFunctionsTests: MailboxSuite {
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

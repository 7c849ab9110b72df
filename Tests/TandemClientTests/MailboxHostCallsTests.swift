import TandemJSON
import Testing

@testable import TandemClient

@Suite struct MailboxHostCallsTests: MailboxSuite {
    private let tool = HostFunction(function: 7, context: 8, drop: 9)

    private func call(_ id: UInt64, of operation: UInt64, by provider: UInt64 = 50, isEvent: Bool = false) -> HostItem {
        HostItem(
            call: id,
            operation: operation,
            provider: provider,
            hasFunction: !isEvent,
            isCall: true,
            members: Array(#""type":"host.call","call":\#(id)"#.utf8)
        )
    }

    /// With an operation 1 and a provider 50.
    private func prepared(_ callback: HostFunction? = nil) -> Mailbox {
        var mailbox = mailbox()
        mailbox.openCommon()
        mailbox.open(1, tag: nil, callback: callback)
        mailbox.setHostFunction(tool, of: 50)
        return mailbox
    }

    private func calls(_ take: () -> Mailbox.Delivery?) -> [UInt64] {
        var calls: [UInt64] = []
        while let delivery = take() { if let host = delivery.host { calls.append(host.call) } }
        return calls
    }

    @Test func callGoesToTheProvidersFunctionInTheOrderOfEvents() throws {
        var mailbox = prepared(own)
        put(&mailbox, (1, "a"))
        mailbox.putCall(call(90, of: 1))
        put(&mailbox, (1, "b"))
        #expect(mailbox.takeForPump()?.callback == .own(own))
        let next = mailbox.takeForPump()
        let delivery = try #require(next)
        #expect(delivery.callback == .provider(tool, 50))
        #expect(try json(delivery).text == #"{"op":1,"seq":2,"type":"host.call","call":90}"#)
        #expect(mailbox.takeForPump()?.callback == .own(own))
    }

    @Test func pumpRunsACallBehindEventsThatNobodyClaims() throws {
        var mailbox = prepared()
        put(&mailbox, (1, "a"))
        mailbox.putCall(call(90, of: 1))
        put(&mailbox, (1, "b"))
        #expect(calls { mailbox.takeForPump() } == [90])
        #expect(!mailbox.hasDeliverable)
        #expect(try types { mailbox.takeUnclaimed() } == ["1 a", "1 b"])
        #expect(mailbox.queued == 0)
    }

    @Test func callOfNoFunctionIsAnEventOfItsOperation() throws {
        var mailbox = prepared()
        mailbox.putCall(call(90, of: 1, isEvent: true))
        #expect(mailbox.takeForPump() == nil)
        #expect(try types { mailbox.takeUnclaimed() } == ["1 host.call"])
        mailbox.putCall(call(91, of: 1, isEvent: true))
        #expect(mailbox.setHandler(handler) == nil)
        #expect(mailbox.takeForPump()?.callback?.host == handler)
    }

    @Test func pausedOperationStillDeliversCalls() throws {
        var mailbox = prepared(own)
        put(&mailbox, (1, "a"))
        #expect(mailbox.pause(1, true) == true)
        #expect(!mailbox.hasDeliverable)
        mailbox.putCall(call(90, of: 1))
        mailbox.putCall(call(91, of: 1))
        #expect(mailbox.deliverable == 2)
        #expect(mailbox.takeForPump()?.host?.call == 90)
        #expect(mailbox.pause(1, false) == true)
        #expect(mailbox.deliverable == 2)
        #expect(mailbox.takeForPump()?.callback == .own(own))
        #expect(mailbox.takeForPump()?.host?.call == 91)
    }

    @Test func callThatWasQueuedBeforeAPauseIsDeliveredInIt() throws {
        var mailbox = prepared(own)
        put(&mailbox, (1, "a"))
        mailbox.putCall(call(90, of: 1))
        _ = mailbox.pause(1, true)
        #expect(calls { mailbox.takeForPump() } == [90])
    }

    @Test func waiterGetsTheCallsOfItsOperationAndPumpDoesNot() throws {
        var mailbox = prepared()
        mailbox.putCall(call(90, of: 1))
        _ = mailbox.own(1)
        mailbox.putCall(call(91, of: 1))
        mailbox.putCall(call(92, of: 0))
        #expect(calls { mailbox.takeForPump() } == [92])
        #expect(mailbox.takeOwned(1)?.callback == .provider(tool, 50))
        #expect(mailbox.takeOwned(1)?.host?.call == 91)
        #expect(mailbox.takeOwned(1) == nil)
    }

    @Test func waiterThatThrowsEventsAwayKeepsTheCallsAmongThem() throws {
        var mailbox = prepared()
        put(&mailbox, (1, "a"))
        mailbox.putCall(call(90, of: 1))
        put(&mailbox, (1, "b"))
        _ = mailbox.own(1)
        #expect(mailbox.takeOwned(1)?.host?.call == 90)
        _ = mailbox.finish(1, done)
        #expect(mailbox.takeOwned(1)?.result != nil)
        #expect(mailbox.discarded == 2)
        #expect(mailbox.lastSeq == 1)
    }

    @Test func callThatAWaiterWouldShowToNobodyIsForNext() throws {
        var mailbox = prepared()
        mailbox.putCall(call(90, of: 1, isEvent: true))
        _ = mailbox.own(1)
        mailbox.putCall(call(91, of: 1, isEvent: true))
        #expect(mailbox.takeOwned(1) == nil)
        let next = mailbox.takeUnclaimed()
        let first = try #require(next)
        #expect(try json(first)["op"]?.integer == 1, "the event names its operation")
        #expect(mailbox.takeUnclaimed()?.host?.call == 91)
    }

    @Test func waiterWithAFunctionGetsCallsAsEvents() throws {
        var mailbox = prepared(own)
        mailbox.putCall(call(90, of: 1, isEvent: true))
        _ = mailbox.own(1)
        #expect(mailbox.takeOwned(1)?.callback == .own(own))
    }

    @Test func callOfAnOperationThatIsOverBelongsToNone() throws {
        var mailbox = prepared(own)
        _ = mailbox.finish(1, done)
        mailbox.putCall(call(90, of: 1))
        #expect(mailbox.takeForPump()?.result != nil)
        #expect(mailbox.takeForPump()?.operation == 0)
    }

    @Test(arguments: [false, true])
    func callThatWasNotShownCanBeTakenBack(isPaused: Bool) throws {
        var mailbox = prepared(own)
        put(&mailbox, (1, "a"))
        for id in [90, 91, 92] as [UInt64] { mailbox.putCall(call(id, of: 1)) }
        if isPaused { _ = mailbox.pause(1, true) }
        #expect(mailbox.removeCall(91, of: 1) == true)
        #expect(mailbox.removeCall(91, of: 1) == false)
        #expect(mailbox.deliverable == (isPaused ? 2 : 3))
        #expect(calls { mailbox.takeForPump() } == [90, 92])
        #expect(mailbox.removeCall(90, of: 1) == false, "it was shown")
        #expect(mailbox.ticketCount == 0)
    }

    @Test func ticketOfTheVeryCallIsTakenAway() throws {
        var mailbox = prepared(own)
        mailbox.open(2, tag: nil, callback: own)
        mailbox.putCall(call(90, of: 1))
        put(&mailbox, (2, "b"), (1, "c"))
        #expect(mailbox.removeCall(90, of: 1) == true)
        #expect(try types { mailbox.takeForPump() } == ["2 b", "1 c"])
    }

    @Test func parkedCallCanBeTakenBack() throws {
        var mailbox = prepared()
        put(&mailbox, (1, "a"))
        mailbox.putCall(call(90, of: 1, isEvent: true))
        put(&mailbox, (1, "b"))
        #expect(mailbox.takeForPump() == nil)
        put(&mailbox, (1, "c"))
        #expect(mailbox.removeCall(90, of: 1) == true)
        #expect(mailbox.queued == 3)
        #expect(try types { mailbox.takeUnclaimed() } == ["1 a", "1 b", "1 c"])
        #expect(mailbox.ticketCount == 0)
    }

    @Test func functionOfAProviderIsDroppedByItsLastCall() throws {
        var mailbox = prepared(own)
        mailbox.putCall(call(90, of: 1))
        mailbox.putCall(call(91, of: 1))
        mailbox.putCall(call(92, of: 1))
        let first = try #require(mailbox.takeForPump()?.callback)
        let second = try #require(mailbox.takeForPump()?.callback)
        #expect(mailbox.removeHostFunction(of: 50) == nil)
        #expect(mailbox.takeForPump() == nil, "nothing is queued for it any more")
        #expect(mailbox.runningCallbacks == 2)
        #expect(mailbox.ended(first, 1) == nil)
        #expect(mailbox.ended(second, 1) == tool)
        #expect(mailbox.runningCallbacks == 0)
        #expect(mailbox.removeHostFunction(of: 50) == nil)
    }

    @Test func idleFunctionOfAProviderIsDroppedAtOnce() throws {
        var mailbox = prepared(own)
        mailbox.putCall(call(90, of: 1))
        let claim = try #require(mailbox.takeForPump()?.callback)
        #expect(mailbox.ended(claim, 1) == nil)
        #expect(mailbox.removeHostFunction(of: 50) == tool)
    }

    @Test func queueOfNoOperationIsNotCounted() {
        var mailbox = mailbox(operations: 1)
        mailbox.openCommon()
        #expect(mailbox.submitted == 0)
        #expect(!mailbox.isFull)
        mailbox.open(1, tag: nil, callback: nil)
        #expect(mailbox.isFull)
    }
}

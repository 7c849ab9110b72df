import TandemJSON
import Testing

@testable import TandemClient

@Suite struct MailboxCoalescingTests {
    private var mailbox = Mailbox(limits: Mailbox.Limits())

    init() { mailbox.open(1, tag: nil, callback: nil, coalesces: true) }

    private func delta(_ text: String, run: String = "r") -> Item {
        let context = EventContext(sessionID: "s", runID: run, atMilliseconds: 1)
        return Item(content: .delta(escaped: Array(text.utf8)), context: context)
    }

    private func event(_ type: String = "todo.updated") -> Item {
        let context = EventContext(sessionID: "s", runID: "r", atMilliseconds: 1)
        return .event(type, tag: nil, context, "properties", .emptyObject)
    }

    /// The burst that began last, 0 for none that has not been told.
    private mutating func newBurst() -> Int { mailbox.takeNewBurst(1) ?? 0 }

    /// Delta texts and types of what would be delivered now.
    private mutating func taken() throws -> [String] {
        var seen: [String] = []
        while let delivery = mailbox.takeUnclaimed() {
            let event = try JSONText(checking: delivery.text)
            seen.append(event.at("properties", "delta")?.string ?? event["type"]?.string ?? "")
        }
        return seen
    }

    @Test mutating func textWaitsUntilItsTimeIsOver() throws {
        #expect(mailbox.put(delta("a"), into: 1) == .taken)
        let burst = newBurst()
        var none = newBurst()
        #expect(none == 0, "it is told once")
        #expect(mailbox.put(delta("b"), into: 1) == .taken)
        none = newBurst()
        #expect(none == 0, "what joins is no new burst")
        #expect(!mailbox.hasDeliverable)
        mailbox.endBurst(burst, of: 1)
        #expect(mailbox.hasDeliverable)
        #expect(try taken() == ["ab"])
    }

    @Test mutating func anythingElseIsNotHeldUpByText() throws {
        for type in ["permission.request", "question.request", "session.tool_call", "run.completed"] {
            _ = mailbox.put(delta("a"), into: 1)
            _ = mailbox.put(delta("b"), into: 1)
            _ = mailbox.put(event(type), into: 1)
            #expect(try taken() == ["ab", type])
        }
    }

    @Test mutating func lateTimeOfABurstEndsNoOtherBurst() throws {
        _ = mailbox.put(delta("a"), into: 1)
        let first = newBurst()
        _ = mailbox.put(event(), into: 1)
        _ = mailbox.put(delta("b"), into: 1)
        mailbox.endBurst(first, of: 1)
        #expect(try taken() == ["a", "todo.updated"])
        mailbox.endBurst(newBurst(), of: 1)
        #expect(try taken() == ["b"])
    }

    @Test mutating func textOfAnotherRunIsAnotherEvent() throws {
        _ = mailbox.put(delta("a"), into: 1)
        _ = mailbox.put(delta("b", run: "other"), into: 1)
        mailbox.endBurst(newBurst(), of: 1)
        #expect(try taken() == ["a", "b"])
    }

    @Test mutating func endBringsWhatWasHeld() throws {
        _ = mailbox.put(delta("a"), into: 1)
        _ = mailbox.finish(1, .emptyObject)
        #expect(try taken() == ["a", "done"])
        #expect(mailbox.put(delta("b"), into: 1) == .gone)
    }

    @Test mutating func pausedOperationHoldsNoMoreThanItsBurst() throws {
        _ = mailbox.put(delta("a"), into: 1)
        _ = mailbox.pause(1, true)
        #expect(mailbox.put(delta("b"), into: 1) == .taken)
        mailbox.endBurst(newBurst(), of: 1)
        #expect(mailbox.put(delta("c"), into: 1) == .behind)
        #expect(try taken().isEmpty)
        _ = mailbox.pause(1, false)
        #expect(try taken() == ["ab"])
    }

    @Test mutating func longTextIsNotHeldForEver() throws {
        var limits = Mailbox.Limits()
        limits.queueBytes = 1_000
        mailbox = Mailbox(limits: limits)
        mailbox.open(1, tag: nil, callback: nil, coalesces: true)
        let piece = String(repeating: "x", count: 400)
        for expected in [Mailbox.Acceptance.taken, .taken, .behind] {
            #expect(mailbox.put(delta(piece), into: 1) == expected)
        }
        #expect(try taken() == [piece + piece])
    }

    @Test mutating func joinedTextCountsAsOneEvent() throws {
        mailbox = Mailbox(limits: Mailbox.Limits())
        mailbox.open(1, tag: nil, callback: nil, take: 2, coalesces: true)
        _ = mailbox.put(delta("a"), into: 1)
        _ = mailbox.put(delta("b"), into: 1)
        _ = mailbox.put(event(), into: 1)
        #expect(mailbox.hasEnough(1))
        #expect(mailbox.put(event(), into: 1) == .gone)
        #expect(try taken() == ["ab", "todo.updated"])
    }

    @Test mutating func operationWithoutTheOptionHoldsNothing() throws {
        mailbox.open(2, tag: nil, callback: nil)
        _ = mailbox.put(delta("a"), into: 2)
        let burst = mailbox.takeNewBurst(2)
        #expect(burst == nil)
        #expect(try taken() == ["a"])
    }
}

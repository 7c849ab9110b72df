import TandemJSON
import Testing

@testable import TandemClient

/// What the suites of the mailbox have in common.
protocol MailboxSuite {}

extension MailboxSuite {
    var own: HostFunction { HostFunction(function: 1, context: 2, drop: 3) }
    var handler: HostFunction { HostFunction(function: 4, context: 5, drop: 6) }

    func mailbox(bytes: Int = 1 << 20, events: Int = 4_096, operations: Int = 100) -> Mailbox {
        var limits = Mailbox.Limits()
        limits.queueBytes = bytes
        limits.queueEvents = events
        limits.operations = operations
        return Mailbox(limits: limits)
    }

    func event(_ name: String, run: String? = "r") -> Item {
        let context = EventContext(sessionID: "s", runID: run, atMilliseconds: 1)
        return .event(name, tag: nil, context, "properties", .emptyObject)
    }

    func delta(_ text: String, run: String? = "r") -> Item {
        let context = EventContext(sessionID: "s", runID: run, atMilliseconds: 1)
        return Item(content: .delta(escaped: Array(text.utf8)), context: context)
    }

    func json(_ delivery: Mailbox.Delivery?) throws -> JSONText {
        try JSONText(checking: #require(delivery).text)
    }

    func types(_ take: () -> Mailbox.Delivery?) throws -> [String] {
        var types: [String] = []
        while let delivery = take() {
            let event = try json(delivery)
            types.append("\(delivery.operation) \(event["type"]?.string ?? "")")
        }
        return types
    }

    func put(_ mailbox: inout Mailbox, _ items: (UInt64, String)...) {
        for (id, name) in items { #expect(mailbox.put(event(name), into: id) == .taken) }
    }

    var done: JSONText { .emptyObject }
}

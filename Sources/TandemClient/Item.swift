internal import TandemContract
internal import TandemJSON

/// Something queued for an operation's taker.
struct Item: Sendable {
    enum Content: Sendable {
        /// A text delta as escaped JSON content: neighbours can be joined without decoding.
        case delta(escaped: [UInt8])
        /// The same as the engine's own frame.
        case text(TextFrame)
        /// The members of an event from `type` on, without braces.
        case event([UInt8])
        /// The operation's last event.
        case done(JSONText)
        /// Something that the host is asked, or that it need not answer any more.
        case host(HostItem)
    }

    var content: Content
    /// Events of different runs are never folded together.
    let context: EventContext?
    /// Its run's state after it; written when the event is delivered.
    var state: RunState?

    var bytes: Int {
        let own =
            switch content {
            case .delta(let escaped): escaped.count + Item.overheadBytes
            case .text(let frame): frame.bytes + Item.overheadBytes
            case .event(let members): members.count
            case .done(let result): result.bytes.count
            case .host(let item): item.members.count
            }
        return own + (state?.ownBytes ?? 0)
    }

    var host: HostItem? { if case .host(let item) = content { item } else { nil } }

    /// Counted for a delta beside its text: names, identifiers and braces of the event that it becomes.
    private static let overheadBytes = 200
}

/// A host call on its way to the host, or the word that one is over.
struct HostItem: Sendable {
    let call: UInt64
    /// The operation that it belongs to, wherever it is queued; 0: none.
    let operation: UInt64
    let provider: UInt64
    /// Whether a function of the provider's takes it; else it is an event like others.
    let hasFunction: Bool
    let isCall: Bool
    /// The members of the event from `type` on, without braces.
    let members: [UInt8]
}

/// Where an event belongs.
package struct EventContext: Sendable, Equatable {
    package let sessionID: String?
    package let runID: String?
    package let atMilliseconds: Int64

    package init(sessionID: String?, runID: String?, atMilliseconds: Int64) {
        self.sessionID = sessionID
        self.runID = runID
        self.atMilliseconds = atMilliseconds
    }

    func isSameRun(as other: EventContext) -> Bool { sessionID == other.sessionID && runID == other.runID }
}

extension Item {
    /// Two text deltas of one run as one; nil where they cannot be.
    func joined(with next: Item, upTo limit: Int) -> Item? {
        guard let context, let following = next.context, context.isSameRun(as: following) else { return nil }
        switch (content, next.content) {
        case (.delta(let escaped), .delta(let more)) where escaped.count + more.count <= limit:
            return Item(content: .delta(escaped: escaped + more), context: context, state: next.state)
        case (.text(let frame), .text(let more)):
            return frame.joined(with: more, upTo: limit).map {
                Item(content: .text($0), context: context, state: next.state)
            }
        default: return nil
        }
    }

    /// An event's members from `type` on.
    static func event(_ type: String, tag: JSONText?, _ context: EventContext, _ name: String, _ value: JSONText)
        -> Item
    {
        var writer = JSONWriter(reservingCapacity: value.bytes.count + overheadBytes)
        writeHead(&writer, type, tag, context)
        writer.member(name, value)
        return Item(content: .event(writer.bytes), context: context)
    }

    private static func writeHead(
        _ writer: inout JSONWriter,
        _ type: String,
        _ tag: JSONText?,
        _ context: EventContext
    ) {
        writer.member("type", type)
        writer.nullable("tag", tag)
        writer.nullable("session_id", context.sessionID)
        writer.nullable("run_id", context.runID)
        writer.member("at_ms", context.atMilliseconds)
    }

    /// The whole event as it is delivered; `seq` is given now.
    func text(operation: UInt64, seq: Int64, tag: JSONText?) -> [UInt8] {
        var writer = JSONWriter(reservingCapacity: bytes + Item.overheadBytes)
        writer.object { writer in
            writer.member("op", Int64(operation))
            writer.member("seq", seq)
            switch content {
            case .event(let members): writer.raw(members)
            case .host(let item): writer.raw(item.members)
            case .delta(let escaped):
                let context = context ?? EventContext(sessionID: nil, runID: nil, atMilliseconds: 0)
                var properties: [UInt8] = Array(#"{"delta":""#.utf8)
                properties += escaped
                properties += Array(#""}"#.utf8)
                let item = Item.event(
                    EventName.sessionResponse,
                    tag: tag,
                    context,
                    "properties",
                    JSONText(trusted: properties)
                )
                if case .event(let members) = item.content { writer.raw(members) }
            case .text(let frame):
                let context = context ?? EventContext(sessionID: nil, runID: nil, atMilliseconds: 0)
                Item.writeHead(&writer, EngineEventName.messagePartUpdated, tag, context)
                frame.write(to: &writer)
            case .done(let result):
                writer.member("type", "done")
                writer.nullable("tag", tag)
                writer.member("result", result)
            }
            guard let state else { return }
            writer.key("state")
            state.write(to: &writer)
        }
        return writer.bytes
    }
}

internal import TandemContract
internal import TandemJSON

/// A piece of text as its engine's frame, which can be joined with the frames before it: a value.
///
/// Joined, it is the last frame with all the text in it. Only a burst that `coalesce_ms` asks for is joined.
struct TextFrame: Sendable {
    /// The last frame, untouched.
    private var frame: JSONText
    /// Escaped JSON content.
    private(set) var text: [UInt8]
    /// How many frames it stands for.
    private var count = 1
    private let messageID: JSONText?
    /// Whether the text follows once more as an event of its own (the vocabulary `both`).
    let addsResponse: Bool

    /// nil for an event that is no piece of the model's text.
    init?(_ event: EngineEvent, addsResponse: Bool) {
        let properties = event.properties
        guard event.type == EngineEventName.messagePartUpdated, properties["agent"] == nil,
            properties["toolCallDelta"] == nil, let delta = properties["delta"], let text = delta.escapedContent,
            let part = properties["part"], part["type"]?.string == "text", part["text"] == delta
        else { return nil }
        frame = event.frame
        self.text = Array(text)
        self.addsResponse = addsResponse
        messageID = part["messageID"]
    }

    var bytes: Int { frame.bytes.count + 2 * text.count }

    func joined(with next: TextFrame, upTo limit: Int) -> TextFrame? {
        guard messageID == next.messageID, addsResponse == next.addsResponse, text.count + next.text.count <= limit
        else {
            return nil
        }
        var joined = next
        joined.text = text + next.text
        joined.count = count + next.count
        return joined
    }

    func write(to writer: inout JSONWriter) {
        guard count > 1 else { return writer.member("frame", frame) }
        let whole = JSONText(trusted: [UInt8(ascii: "\"")] + text + [UInt8(ascii: "\"")])
        writer.member("joined", count)
        writer.member(
            "frame",
            frame.changing("properties") {
                $0.changing("delta") { _ in whole }.changing("part") { part in
                    part.changing("text") { _ in whole }
                }
            }
        )
    }
}

extension JSONText {
    /// The object with one of its members changed; where there is no such member, as it is.
    fileprivate func changing(_ name: String, _ change: (JSONText) -> JSONText) -> JSONText {
        JSONWriter.object { writer in
            for (key, value) in members { writer.member(key, key == name ? change(value) : value) }
        }
    }
}

extension Item {
    /// What is delivered of it, in order.
    var parts: [Item] {
        guard case .text(let frame) = content, frame.addsResponse else { return [self] }
        return [self, Item(content: .delta(escaped: frame.text), context: context, state: state)]
    }

    /// Whether more of its kind may be joined to it.
    var isText: Bool {
        switch content {
        case .delta, .text: true
        case .event, .done, .host: false
        }
    }
}

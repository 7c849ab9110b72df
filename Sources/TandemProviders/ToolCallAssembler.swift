internal import TandemJSON

/// Puts the tool calls of one answer together: pieces in, whole calls out, in the order in which they began.
///
/// Servers differ: pieces come with an index, or with an id, or with neither; an index may stand for several calls, each
/// with an id of its own; a name may come in pieces or again with each piece; arguments are a text or an object.
struct ToolCallAssembler {
    private struct Slot {
        var id = ""
        var name = ""
        var arguments: [UInt8] = []

        var isBegun: Bool { !arguments.isEmpty }
    }

    /// More calls in one answer are not looked at.
    private static let limit = 128

    private var slots: [Slot] = []
    private var slotOfIndex: [Int64: Int] = [:]

    /// The calls so far.
    var calls: [ModelToolCall] {
        slots.map {
            ModelToolCall(id: $0.id, name: $0.name, arguments: String(decoding: $0.arguments, as: UTF8.self))
        }
    }

    /// Takes the `tool_calls` of a delta or a message.
    mutating func take(_ pieces: JSONText?) -> [ModelEvent] {
        var events: [ModelEvent] = []
        for piece in pieces?.elements ?? [] where piece.kind == .object {
            if let delta = take(piece) { events.append(.toolCallDelta(delta)) }
        }
        return events
    }

    private mutating func take(_ piece: JSONText) -> ModelToolDelta? {
        let function = piece["function"] ?? piece
        let id = piece["id"].flatMap { $0.string ?? $0.integer.map { String($0) } } ?? ""
        let name = function["name"]?.string ?? ""
        guard let place = place(index: piece["index"]?.integer, id: id, name: name) else { return nil }
        let arguments = ToolCallAssembler.text(of: function["arguments"])
        if slots[place].id.isEmpty { slots[place].id = id }
        addName(name, at: place)
        slots[place].arguments += Array(arguments.utf8)
        return ModelToolDelta(index: place, id: slots[place].id, name: slots[place].name, arguments: arguments)
    }

    /// The call that a piece belongs to; nil where there are too many.
    private mutating func place(index: Int64?, id: String, name: String) -> Int? {
        let known = index.map { slotOfIndex[$0] } ?? slots.indices.last
        if let known, continues(known, hasIndex: index != nil, id: id, name: name) { return known }
        if !id.isEmpty, let same = slots.firstIndex(where: { $0.id == id }), index == nil { return same }
        guard slots.count < ToolCallAssembler.limit else { return nil }
        slots.append(Slot())
        if let index { slotOfIndex[index] = slots.count - 1 }
        return slots.count - 1
    }

    private func continues(_ place: Int, hasIndex: Bool, id: String, name: String) -> Bool {
        let slot = slots[place]
        if !id.isEmpty && !slot.id.isEmpty { return id == slot.id }
        // Without an index and an id, a name is what tells that the next call begins.
        return hasIndex || name.isEmpty || !slot.isBegun && slot.name.isEmpty
    }

    private mutating func addName(_ name: String, at place: Int) {
        guard !slots[place].isBegun, name != slots[place].name else { return }
        slots[place].name += name
    }

    private static func text(of arguments: JSONText?) -> String {
        guard let arguments, !arguments.isNull else { return "" }
        return arguments.string ?? arguments.text
    }
}

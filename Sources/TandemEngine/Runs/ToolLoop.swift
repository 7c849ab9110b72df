internal import TandemJSON
internal import TandemProviders

/// What a run remembers of its tools, from one call of the model to the next.
struct ToolLoop: Equatable {
    static let rounds = 25
    static let callsPerTool = 200
    /// So often in a row the same call with the same result is made; then it is a loop.
    static let repetitions = 2
    /// What is shown of results that no answer was made of.
    private static let shownResults = 10
    private static let shownCharacters = 1_000

    /// What was said since the prompt, in the model's own form.
    var messages: [ModelMessage] = []
    /// The calls of the answer that is coming in: the beginning of each, and at its end the whole.
    var writing: [Int: Written] = [:]
    var calls: [ModelToolCall] = []
    /// The calls that are being made.
    var turn: ToolTurn?
    /// No tools are offered any more: the model has to come to an end.
    var isClosing = false
    var hasCalled = false
    var wasRemindedToCall = false
    var wasAskedForAnswer = false
    private(set) var lastSerial = 0
    private var counts: [String: Int] = [:]
    private var usedIDs: Set<String> = []
    private var last: Repetition?

    struct Written: Equatable {
        let id: String
        var soFar = ""
    }

    private struct Repetition: Equatable {
        let tool: String
        let arguments: JSONText
        let outcome: ToolOutcome
        var count: Int
    }

    /// A piece of a call, as an event.
    mutating func heard(_ delta: ModelToolDelta, _ round: Round) -> ToolEvent {
        var written = writing[delta.index] ?? Written(id: newID(delta.id, round, delta.index))
        if written.soFar.utf8.count < ToolEvent.previewCharacters {
            written.soFar = ToolEvent.preview(written.soFar + delta.arguments)
        }
        writing[delta.index] = written
        return .writing(id: written.id, tool: delta.name, piece: delta.arguments, soFar: written.soFar)
    }

    /// Some servers give no id, others the same ids in each answer: here each call of a run has its own.
    private mutating func newID(_ given: String, _ round: Round, _ index: Int) -> String {
        let base = given.isEmpty ? "call-\(round.number)-\(index)" : given
        var id = base
        var count = 1
        while usedIDs.contains(id) {
            count += 1
            id = "\(base)-\(count)"
        }
        usedIDs.insert(id)
        return id
    }

    /// Begins with the calls of an answer.
    mutating func beginTurn(_ said: String, _ round: Round) {
        var planned: [ToolTurn.Planned] = []
        for (index, call) in calls.enumerated() {
            lastSerial += 1
            let id = writing[index]?.id ?? newID(call.id, round, index)
            planned.append(ToolTurn.Planned(serial: lastSerial, id: id, call: call))
        }
        turn = ToolTurn(said: said, planned: planned)
        calls = []
        writing = [:]
        hasCalled = true
    }

    /// In place of an answer: what the tools gave is all that there is.
    var silence: String {
        var names: [String: String] = [:]
        for call in messages.flatMap(\.calls) { names[call.id] = call.name }
        let given = messages.compactMap { message in
            message.callID.map { "\(names[$0] ?? "tool"): \(message.content.prefix(ToolLoop.shownCharacters))" }
        }
        let shown = given.suffix(ToolLoop.shownResults)
        return (["The model used tools and gave no answer. What they gave:"] + shown).joined(separator: "\n")
    }

    /// True once the tool has been called as often as one run may.
    mutating func isSpent(_ tool: String) -> Bool {
        counts[tool, default: 0] += 1
        return counts[tool, default: 0] > ToolLoop.callsPerTool
    }

    /// True when the same call was made before and again, with the same result.
    func isStuck(_ call: ToolCall) -> Bool {
        guard let last, last.tool == call.name, last.arguments == call.arguments else { return false }
        return last.count >= ToolLoop.repetitions
    }

    mutating func remember(_ call: ToolCall, _ outcome: ToolOutcome) {
        if let known = last, known.tool == call.name, known.arguments == call.arguments, known.outcome == outcome {
            last?.count += 1
        } else {
            last = Repetition(tool: call.name, arguments: call.arguments, outcome: outcome, count: 1)
        }
    }
}

/// The calls of one answer, made one after the other.
struct ToolTurn: Equatable {
    struct Planned: Equatable {
        let serial: Int
        let id: String
        let call: ModelToolCall
    }

    struct Current: Equatable {
        /// What a call waits for.
        enum Wait: Equatable { case rules, permission, outcome }

        let call: ToolCall
        let tool: RunTool
        var wait: Wait
    }

    /// What the model said before its calls.
    let said: String
    let planned: [Planned]
    private(set) var place = 0
    var current: Current?
    private var made: [ToolCall] = []
    private var outcomes: [ToolOutcome] = []
    private(set) var rejected = 0
    private var flaws = 0

    init(said: String, planned: [Planned]) {
        self.said = said
        self.planned = planned
    }

    var next: Planned? { place < planned.count ? planned[place] : nil }
    var accepted: Int { made.count - rejected }

    /// Whether nothing came of it because no call could be read.
    var hasOnlyFlaws: Bool { flaws > 0 && flaws == made.count }

    mutating func noteFlaw() { flaws += 1 }

    /// What the model said, for the first call that is stored.
    var saidBefore: String { made.isEmpty ? said : "" }

    mutating func end(_ call: ToolCall, _ outcome: ToolOutcome, isRejected: Bool = false) {
        made.append(call)
        outcomes.append(outcome)
        if isRejected { rejected += 1 }
        place += 1
        current = nil
    }

    /// The turn as the model is shown it.
    var messages: [ModelMessage] {
        [ModelMessage(said, calling: made.map(\.model))]
            + zip(made, outcomes).map { ModelMessage($1.modelText, resultOf: $0.id) }
    }
}

internal import TandemJSON

/// The tool calls of a run, in order: a value.
///
/// An engine names one call by several identifiers on its way: the model's, then its permission request's, and a new one
/// where it is refused before it runs.
struct RunTools: Sendable {
    struct Tool: Sendable {
        fileprivate(set) var id: String
        let name: String
        fileprivate(set) var arguments: JSONText
        fileprivate(set) var status: String
        fileprivate(set) var result: JSONText = .null
        fileprivate(set) var error: String?
        fileprivate var wasAsked = false
        /// The call as JSON; written anew when something changes.
        fileprivate(set) var json = JSONText.null

        var isOver: Bool { RunTools.endings.contains(status) }
    }

    private(set) var all: [Tool] = []
    private var indices: [String: Int] = [:]
    /// Requests whose call has not been seen yet, and whether their time was up: they may overtake it.
    private var early: [String: Bool] = [:]

    static let expired = "permission_expired"
    fileprivate static let endings: Set<String> = ["completed", "failed", "denied", expired]

    /// The properties of `session.tool_call` or `session.tool_result`.
    mutating func note(_ properties: JSONText) {
        let id = properties["call_id"]?.string ?? ""
        let name = properties["tool"]?.string ?? ""
        let state = properties["state"]?.string ?? ""
        let isOther = early[id] != nil || RunTools.endings.contains(state)
        let index = indices[id] ?? (isOther ? open(name) : nil) ?? added(id, name)
        indices[id] = index
        if early.removeValue(forKey: id) ?? false { change(index) { $0.status = RunTools.expired } }
        change(index) { tool in
            tool.id = id
            if let arguments = properties["args"], !arguments.isNull { tool.arguments = arguments.withoutOwnKeys }
            if !tool.isOver { tool.status = state }
            if let result = properties["result"], !result.isNull { tool.result = result }
            if let error = properties["error"], !error.isNull { tool.error = error.string ?? error.text }
        }
    }

    /// The oldest open call of that tool waits for a permission, whose identifier it has from now on.
    mutating func ask(_ request: String, tool name: String) {
        guard indices[request] == nil else { return }
        guard let index = open(name) else {
            early[request] = false
            return
        }
        indices[request] = index
        change(index) { tool in
            tool.id = request
            tool.wasAsked = true
        }
    }

    /// Nobody answered in time.
    mutating func expire(_ request: String) {
        guard let index = indices[request] else {
            early[request] = true
            return
        }
        change(index) { $0.status = RunTools.expired }
    }

    /// The tool was not offered to the model.
    mutating func reject(_ name: String) {
        guard let index = open(name) else { return }
        change(index) { tool in
            tool.status = "failed"
            tool.error = "the tool was not offered"
        }
    }

    /// The run is over: calls of which nothing more was heard have failed.
    mutating func close() {
        for index in all.indices where !all[index].isOver {
            change(index) { tool in
                tool.status = "failed"
                tool.error = tool.error ?? "the run ended before the call did"
            }
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.array { writer in for tool in all { writer.value(tool.json) } }
    }

    /// The oldest call of that tool that is open and has no request: what comes under an identifier of a request, or ends
    /// under one that nobody has seen, is that.
    private func open(_ name: String) -> Int? { all.firstIndex { $0.name == name && !$0.isOver && !$0.wasAsked } }

    private mutating func added(_ id: String, _ name: String) -> Int {
        all.append(Tool(id: id, name: name, arguments: .null, status: "pending"))
        return all.count - 1
    }

    private mutating func change(_ index: Int, _ body: (inout Tool) -> Void) {
        guard all.indices.contains(index) else { return }
        var tool = all[index]
        body(&tool)
        tool.json = RunTools.json(tool)
        all[index] = tool
    }

    private static func json(_ tool: Tool) -> JSONText {
        JSONWriter.object { writer in
            writer.member("id", tool.id)
            writer.member("tool", tool.name)
            writer.member("arguments", tool.arguments)
            writer.member("status", tool.status)
            writer.member("result", tool.result)
            writer.nullable("error", tool.error)
        }
    }
}

extension JSONText {
    /// A tool call's arguments as the model gave them: the engine adds keys of its own that begin with two underscores.
    fileprivate var withoutOwnKeys: JSONText {
        guard kind == .object, members.contains(where: { $0.key.hasPrefix("__") }) else { return self }
        return JSONWriter.object { writer in
            for member in members where !member.key.hasPrefix("__") { writer.member(member.key, member.value) }
        }
    }
}

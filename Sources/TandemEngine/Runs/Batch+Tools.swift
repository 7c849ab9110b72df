internal import TandemContract
internal import TandemJSON
internal import TandemStore
internal import TandemSystem

/// Does what runs say of their tools.
extension Batch {
    /// What a call needs of its run's session before it is made.
    func rule(on call: ToolCall, asks: Bool, in run: ActiveRun) throws(StoreError) -> PermissionRules.Verdict {
        let rules = try SessionStore.find(run.sessionID, in: store)?.permission ?? .emptyArray
        return PermissionRules.verdict(rules, on: call.name) ?? (asks ? .ask : .allow)
    }

    func record(_ call: ToolCall, _ said: String, _ run: ActiveRun) throws(StoreError) {
        guard let message = run.promptRow else { return }
        try ToolCallStore.insert(call, said: said, run: run.number, message: message, into: store)
    }

    func record(_ outcome: ToolOutcome, of call: ToolCall, _ run: ActiveRun) throws(StoreError) {
        guard let message = run.promptRow else { return }
        try ToolCallStore.end(call, outcome, run: run.number, message: message, in: store)
        let core = core
        let number = run.number
        first { core.hostCalls[number] = nil }
    }

    func askPermission(_ call: ToolCall, _ run: inout ActiveRun) throws(StoreError) {
        let request = PermissionRequest(
            id: context.random.uuid(),
            sessionID: run.sessionID,
            run: run.number,
            tool: call.name,
            arguments: call.arguments,
            requestedMilliseconds: context.clock.milliseconds,
            expiresMilliseconds: run.deadlineMilliseconds
        )
        run.pendingRequest = request.id
        try PermissionStore.insert(request, into: store)
        try publish(
            EngineEventName.permissionAsked,
            session: run.sessionID,
            run: (run.number, run.runID),
            JSONWriter.object { writer in
                writer.member("sessionID", run.sessionID)
                writer.member("requestID", request.id)
                writer.member("callID", call.id)
                writer.member("tool", request.tool)
                writer.member("args", request.arguments)
                writer.member("argsSource", "provider_json")
                writer.member("argsIntegrity", "ok")
                writer.nullable("query", String?.none)
                writer.member("requestedAtMs", request.requestedMilliseconds)
                writer.member("expiresAtMs", request.expiresMilliseconds)
                writer.member("actionDigest", request.digest)
            }
        )
    }

    /// What is known at once is the machine's next input.
    func make(_ call: ToolCall, _ kind: RunTool.Kind, _ run: inout ActiveRun) throws(StoreError) -> RunMachine.Input? {
        switch kind {
        case .host:
            let core = core
            let number = run.number
            // After the events that tell of it.
            then { core.ask(call, of: number) }
            return nil
        case .builtIn(.question): return try ask(call, &run)
        case .builtIn(.todos): return .toolEnded(call.serial, try writeTodos(call, run))
        }
    }

    private func ask(_ call: ToolCall, _ run: inout ActiveRun) throws(StoreError) -> RunMachine.Input? {
        guard let questions = QuestionForm.questions(call.arguments) else {
            return .toolEnded(call.serial, .failed("give `questions`, an array of objects with `question`"))
        }
        let record = QuestionRecord(
            id: "q-" + context.random.uuid(),
            sessionID: run.sessionID,
            run: run.number,
            serial: call.serial,
            questions: questions,
            messageID: run.names.userMessageID,
            callID: call.id,
            expiresMilliseconds: run.deadlineMilliseconds
        )
        run.pendingRequest = record.id
        try QuestionStore.insert(record, into: store)
        let directory = run.directory
        try publish(
            EngineEventName.questionAsked,
            session: run.sessionID,
            run: (run.number, run.runID),
            JSONWriter.object { writer in
                writer.member("sessionID", record.sessionID)
                writer.member("id", record.id)
                writer.member("messageID", record.messageID)
                writer.member("questions", questions)
                writer.member("tool", Questions.tool(record))
                writer.member("workspaceRoot", directory)
                writer.member("effectiveCwd", directory)
            }
        )
        return nil
    }

    private func writeTodos(_ call: ToolCall, _ run: ActiveRun) throws(StoreError) -> ToolOutcome {
        guard let todos = TodoStore.list(call.arguments) else {
            return .failed("give `todos`, an array of objects with `content` and `status`")
        }
        try TodoStore.set(todos, of: run.sessionID, in: store)
        try publish(
            EngineEventName.todoUpdated,
            session: run.sessionID,
            run: (run.number, run.runID),
            JSONWriter.object { writer in
                writer.member("sessionID", run.sessionID)
                writer.member("todos", todos)
                writer.member("workspaceRoot", run.directory)
                writer.member("effectiveCwd", run.directory)
            }
        )
        let count = todos.elements.count
        return .completed(
            count == 1 ? "The list has 1 item now." : "The list has \(count) items now.",
            metadata: JSONWriter.object { $0.member("todos", todos) }
        )
    }

    /// Nobody waits for the current call's permission, answer or result any more.
    func dropCall(_ run: inout ActiveRun, _ reason: String) throws(StoreError) {
        let core = core
        let number = run.number
        first { core.withdrawCall(of: number, reason) }
        guard let id = run.pendingRequest else { return }
        run.pendingRequest = nil
        try QuestionStore.delete(id, from: store)
        let now = context.clock.milliseconds
        try PermissionStore.close(run: number, as: PermissionRequest.Status.cancelled, at: now, in: store)
    }
}

extension EngineCore {
    /// Asks the host to run a tool; the answer comes on any thread.
    fileprivate func ask(_ call: ToolCall, of number: Int64) {
        guard let run = runs[number] else { return }
        let request = HostCall(
            .tool,
            name: call.name,
            sessionID: run.sessionID,
            runID: run.runID,
            input: call.arguments
        )
        let receiver = ToolReceiver(self, number, call.serial)
        guard let id = context.host.ask(request, receiver) else {
            return post(.toolEnded(call.serial, .failed("the tool `\(call.name)` is not offered any more")), to: number)
        }
        hostCalls[number] = id
    }

    func withdrawCall(of number: Int64, _ reason: String) {
        if let id = hostCalls.removeValue(forKey: number) { context.host.cancel(id, reason: reason) }
    }
}

/// Passes what a host says of a tool call to its run.
private final class ToolReceiver: HostReceiver {
    private let core: EngineCore
    private let run: Int64
    private let serial: Int

    init(_ core: EngineCore, _ run: Int64, _ serial: Int) {
        self.core = core
        self.run = run
        self.serial = serial
    }

    func take(chunk: JSONText) { core.post(.toolProgress(serial, chunk), to: run) }

    func end(_ reply: Result<JSONText, Failure>) {
        core.post(.toolEnded(serial, ToolOutcome(host: reply)), to: run)
    }
}

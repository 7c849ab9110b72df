internal import TandemContract
internal import TandemJSON
internal import TandemProviders

// One call after the other, in the model's order; then the model is called again.
extension RunMachine {
    mutating func useTools() -> [Action] {
        phase = .usingTools
        loop.beginTurn(text, round)
        text = ""
        return goOn()
    }

    /// Up to the next call that something has to be waited for.
    private mutating func goOn() -> [Action] {
        var actions: [Action] = []
        while let planned = loop.turn?.next {
            actions += take(planned)
            if loop.turn?.current != nil { return actions }
        }
        return actions + endTurn()
    }

    /// Looks at a call: it goes on to the rules, or is over at once.
    private mutating func take(_ planned: ToolTurn.Planned) -> [Action] {
        let tool = round.offer.tool(planned.call.name)
        let read = ToolArguments.read(planned.call.arguments)
        let call = ToolCall(
            serial: planned.serial,
            id: planned.id,
            name: tool?.name ?? planned.call.name,
            arguments: (try? read.get()) ?? .emptyObject,
            round: round.number
        )
        let pending: [Action] = [.publish(.tool(.part(call, .pending)))]
        guard let tool else {
            let names = round.offer.names
            // A model that calls what nobody offered would go on so.
            if names.isEmpty { loop.isClosing = true }
            let others = names.isEmpty ? "there are no tools" : "the tools are: " + names.joined(separator: ", ")
            return pending + [.publish(.tool(.unoffered(tool: call.name, round)))]
                + reject(call, .failed("there is no tool `\(call.name)` here; \(others)"))
        }
        if case .failure(let flaw) = read {
            loop.turn?.noteFlaw()
            return pending + [.publish(.tool(.unreadable(call, planned.call.arguments, error: flaw.message)))]
                + reject(call, .failed(flaw.message))
        }
        if loop.isStuck(call) {
            loop.isClosing = true
            return pending + [.publish(.tool(.loopGuard(call)))]
                + reject(call, .failed("this call was made before and gave the same result; it is not made again"))
        }
        if loop.isSpent(tool.name) {
            return pending
                + reject(call, .failed("a run may call a tool \(ToolLoop.callsPerTool) times; go on without it"))
        }
        loop.turn?.current = ToolTurn.Current(call: call, tool: tool, wait: .rules)
        return pending + [.publish(.tool(.argumentsRead(call))), .applyRules(call, asks: tool.asks)]
    }

    mutating func ruled(_ verdict: PermissionRules.Verdict) -> [Action] {
        guard let current = loop.turn?.current, current.wait == .rules else { return [] }
        switch verdict {
        case .allow: return make(current)
        case .deny: return over(current.call, .denied("a permission rule of the session forbids this tool"))
        case .ask:
            loop.turn?.current?.wait = .permission
            return [.askPermission(current.call), .publish(.tool(.part(current.call, .pending)))]
        }
    }

    mutating func permitted(_ isPermitted: Bool) -> [Action] {
        guard let current = loop.turn?.current, current.wait == .permission else { return [] }
        return isPermitted ? make(current) : over(current.call, .denied("the user does not allow this call"))
    }

    private mutating func make(_ current: ToolTurn.Current) -> [Action] {
        loop.turn?.current?.wait = .outcome
        let call = current.call
        return [
            .recordCall(call, said: loop.turn?.saidBefore ?? ""), .publish(.tool(.part(call, .running))),
            .publish(.tool(.effect(call, .started))), .tell(.allowed(call)), .tell(.started(call)),
            .makeCall(call, current.tool.kind),
        ]
    }

    func progress(_ serial: Int, _ chunk: JSONText) -> [Action] {
        guard let current = loop.turn?.current, current.wait == .outcome, current.call.serial == serial else {
            return []
        }
        return [.publish(.tool(.progress(current.call, chunk)))]
    }

    mutating func ended(_ serial: Int, _ outcome: ToolOutcome) -> [Action] {
        guard let current = loop.turn?.current, current.wait == .outcome, current.call.serial == serial else {
            return []
        }
        loop.remember(current.call, outcome)
        loop.turn?.end(current.call, outcome)
        return [.recordOutcome(current.call, outcome), .tell(.ended(current.call, outcome))]
            + told(current.call, outcome) + goOn()
    }

    /// The current call was not made.
    private mutating func over(_ call: ToolCall, _ outcome: ToolOutcome) -> [Action] {
        reject(call, outcome) + [.tell(.refused(call, outcome))] + goOn()
    }

    private mutating func reject(_ call: ToolCall, _ outcome: ToolOutcome) -> [Action] {
        let said = loop.turn?.saidBefore ?? ""
        loop.turn?.end(call, outcome, isRejected: true)
        return [.recordCall(call, said: said), .recordOutcome(call, outcome)] + told(call, outcome)
    }

    private func told(_ call: ToolCall, _ outcome: ToolOutcome) -> [Action] {
        [.publish(.tool(.ended(call, outcome))), .publish(.tool(.effect(call, .ended(outcome.state))))]
    }

    private mutating func endTurn() -> [Action] {
        guard let turn = loop.turn else { return [] }
        loop.turn = nil
        loop.messages += turn.messages
        let end = CallEnd(
            reason: loop.isClosing ? .summary : turn.hasOnlyFlaws ? .invalidArguments : .followup,
            accepted: turn.accepted,
            rejected: turn.rejected
        )
        return [.publish(.callFinished(round, end))] + nextRound()
    }

    /// The run ends while a call is being made, or waits for a permission.
    mutating func dropCall(_ reason: String) -> [Action] {
        guard let current = loop.turn?.current else { return [] }
        loop.turn?.current = nil
        let wasMade = current.wait == .outcome
        let outcome = ToolOutcome.failed(
            wasMade
                ? "the run ended (\(reason)) while this call was being made; whether it had an effect is not known"
                : "the run ended (\(reason)) before this call was made"
        )
        let recorded: [Action] =
            wasMade ? [.recordOutcome(current.call, outcome), .tell(.ended(current.call, outcome))] : []
        return [.dropCall(reason: reason)] + recorded + told(current.call, outcome)
    }
}

// What a model says that was to come to an end.
extension RunMachine {
    /// A model that has used tools and says nothing is asked once for an answer, without tools.
    mutating func silent() -> [Action] {
        guard loop.hasCalled else { return finish("The model gave an empty answer.", .completion) }
        guard !loop.wasAskedForAnswer, round.number < ToolLoop.rounds else {
            return finish(loop.silence, .completion)
        }
        loop.wasAskedForAnswer = true
        loop.isClosing = true
        loop.messages.append(ModelMessage(.user, "Answer in words now, from what the tools gave: there are none left."))
        return [.publish(.callFinished(round, CallEnd(reason: .summary)))] + nextRound()
    }

    /// Calls of an answer that was to do without tools end where they are shown; nothing else becomes of them.
    mutating func refuseCalls() -> [Action] {
        loop.beginTurn(text, round)
        let planned = loop.turn?.planned ?? []
        loop.turn = nil
        return planned.flatMap { planned in
            let call = ToolCall(
                serial: planned.serial,
                id: planned.id,
                name: planned.call.name,
                arguments: (try? ToolArguments.read(planned.call.arguments).get()) ?? .emptyObject,
                round: round.number
            )
            return [.publish(.tool(.part(call, .pending))), .publish(.tool(.unoffered(tool: call.name, round)))]
                + told(call, .failed("no tools were offered any more"))
        }
    }
}

// What happens when a tool has to be called and none is.
extension RunMachine {
    /// Once the model is told that it has to.
    mutating func remind() -> [Action] {
        if loop.wasRemindedToCall { return unsatisfied("no_tool_was_called") }
        loop.wasRemindedToCall = true
        if !text.allSatisfy(\.isWhitespace) { loop.messages.append(ModelMessage(.assistant, text)) }
        loop.messages.append(ModelMessage(.user, "Do not answer in words: call one of the tools now."))
        return [.publish(.callFinished(round, CallEnd(reason: .requiredUnsatisfied)))] + nextRound()
    }

    mutating func unsatisfied(_ reason: String) -> [Action] {
        let told =
            reason == "no_tool_is_offered"
            ? "this run has to call a tool, and none is offered"
            : "this run has to call a tool, and the model calls none"
        return [.publish(.tool(.requiredUnsatisfied(reason: reason, round)))]
            + finish("TOOL_MODE_REQUIRED_NOT_SATISFIED: \(reason): \(told).", .requiredUnsatisfied)
    }
}

import TandemContract
import TandemJSON
import TandemProviders
import Testing

@testable import TandemEngine

@Suite struct RunMachineToolsTests {
    private let choice = ModelChoice(providerID: "p", modelID: "m")

    private func offers(_ tools: HostTool...) -> HostOffers {
        var offers = HostOffers()
        offers.tools = tools
        return offers
    }

    private var usual: HostOffers { offers(.named("add"), .named("read")) }

    /// A machine whose model has been called.
    private func calling(_ offers: HostOffers, _ change: (inout Prompt) -> Void = { _ in }) -> RunMachine {
        var prompt = Prompt(parts: [.text("hi")])
        change(&prompt)
        var machine = RunMachine(prompt: prompt, history: [], system: SystemPrompt(directory: nil))
        _ = machine.step(.begin)
        _ = machine.step(.modelChosen(.success(choice), offers))
        return machine
    }

    private func answer(_ calls: (String, String)..., text: String = "") -> RunMachine.Input {
        let calls = calls.enumerated().map { ModelToolCall(id: "call_\($0)", name: $1.0, arguments: $1.1) }
        return .model((text.isEmpty ? [] : [.text(text)]) + [.toolCalls(calls), .finished(reason: "tool_calls")])
    }

    private func states(_ actions: [RunMachine.Action]) -> [String] {
        actions.compactMap { action in
            switch action {
            case .publish(.tool(.part(_, let tool, _, let state))): "\(tool) \(state.rawValue)"
            case .publish(.tool(.ended(let call, let outcome))): "\(call.name) \(outcome.state.rawValue)"
            case .publish(.tool(.loopGuard(let call))): "\(call.name) guarded"
            case .publish(.tool(.unoffered(let tool, _))): "\(tool) unoffered"
            case .publish(.tool(.requiredUnsatisfied(let reason, _))): reason
            case .publish(.callFinished(let round, let end)):
                "\(round.number) \(end.reason.rawValue) \(end.accepted)+\(end.rejected)"
            case .recordCall(let call, _): "\(call.name) recorded"
            case .recordOutcome(let call, _): "\(call.name) outcome"
            case .makeCall(let call, _): "\(call.name) made"
            case .askPermission(let call): "\(call.name) asked"
            case .dropCall(let reason): "dropped \(reason)"
            case .end(let end): "end \(end.status.rawValue)"
            default: nil
            }
        }
    }

    private func request(_ actions: [RunMachine.Action]) -> ModelRequest? {
        for case .call(let request, _) in actions { return request }
        return nil
    }

    @Test func aCallIsWrittenDownBeforeItIsMade() {
        var machine = calling(usual)
        #expect(states(machine.step(answer(("add", "{}")))) == ["add pending"])
        #expect(states(machine.step(.ruled(.allow))) == ["add recorded", "add running", "add made"])
        #expect(machine.phase == .usingTools)
        #expect(
            states(machine.step(.toolEnded(1, .completed("1")))) == [
                "add outcome", "add completed", "1 tool_followup 1+0",
            ]
        )
        let again = machine.step(.offersRead(usual))
        #expect(request(again)?.messages.suffix(2).map(\.content) == ["", "1"])
        #expect(machine.round.number == 2)
    }

    @Test func callsOfOneAnswerAreMadeInItsOrderOneAfterTheOther() {
        var machine = calling(usual)
        #expect(states(machine.step(answer(("read", #"{"p":1}"#), ("add", "{}"), text: "Well."))) == ["read pending"])
        _ = machine.step(.ruled(.allow))
        #expect(
            states(machine.step(.toolEnded(1, .completed("r")))) == ["read outcome", "read completed", "add pending"]
        )
        _ = machine.step(.ruled(.allow))
        #expect(states(machine.step(.toolEnded(2, .failed("no")))).last == "1 tool_followup 2+0")
        let messages = request(machine.step(.offersRead(usual)))?.messages ?? []
        #expect(
            messages.suffix(3) == [
                ModelMessage(
                    "Well.",
                    calling: [
                        ModelToolCall(id: "call_0", name: "read", arguments: #"{"p":1}"#),
                        ModelToolCall(id: "call_1", name: "add", arguments: "{}"),
                    ]
                ), ModelMessage("r", resultOf: "call_0"), ModelMessage("Error: no", resultOf: "call_1"),
            ]
        )
    }

    @Test func piecesOfArgumentsAreToldAsTheyCome() {
        var machine = calling(usual)
        let actions = machine.step(
            .model([
                .toolCallDelta(ModelToolDelta(index: 0, id: "c", name: "add", arguments: #"{"a""#)),
                .toolCallDelta(ModelToolDelta(index: 0, id: "c", name: "add", arguments: ":1}")),
            ])
        )
        #expect(
            actions == [
                .publish(.tool(.writing(id: "c", tool: "add", piece: #"{"a""#, soFar: #"{"a""#))),
                .publish(.tool(.writing(id: "c", tool: "add", piece: ":1}", soFar: #"{"a":1}"#))),
            ]
        )
    }

    @Test func callsWithoutOrWithRepeatedIdsGetIdsOfTheirOwn() {
        var machine = calling(usual)
        var ids: [String] = []
        for round in 1...2 {
            let calls = ["", "x", "x"].map { ModelToolCall(id: $0, name: "add", arguments: #"{"r":\#(round)}"#) }
            _ = machine.step(.model([.toolCalls(calls), .finished(reason: nil)]))
            for serial in 1...3 {
                for case .recordCall(let call, _) in machine.step(.ruled(.allow)) { ids.append(call.id) }
                _ = machine.step(.toolEnded(serial + 3 * (round - 1), .completed("\(serial)")))
            }
            _ = machine.step(.offersRead(usual))
        }
        #expect(ids == ["call-1-0", "x", "x-2", "call-2-0", "x-3", "x-4"])
    }

    @Test(arguments: [
        ("nope", "{}", "there is no tool `nope` here; the tools are: add, read"),
        ("add", "{", "the arguments are not valid JSON"), ("add", "[1]", "the arguments have to be a JSON object: [1]"),
    ]) func whatCannotBeCalledIsAResultForTheModel(name: String, arguments: String, error: String) {
        var machine = calling(usual)
        let actions = machine.step(answer((name, arguments)))
        let other = name == "nope" ? ["nope unoffered"] : []
        #expect(
            states(actions) == ["\(name) pending"] + other
                + ["\(name) recorded", "\(name) outcome", "\(name) failed"]
                + ["1 \(name == "nope" ? "tool_followup" : "invalid_tool_args_retry") 0+1"]
        )
        let result = request(machine.step(.offersRead(usual)))?.messages.last
        #expect(result?.content.hasPrefix("Error: " + error) == true)
        #expect(result?.callID == "call_0")
    }

    @Test func aModelThatCallsToolsWhereThereAreNoneGetsOneMoreChance() {
        var machine = calling(HostOffers())
        #expect(states(machine.step(answer(("add", "{}")))).last == "1 tool_summary 0+1")
        _ = machine.step(.offersRead(HostOffers()))
        let last = machine.step(answer(("add", "{}"), text: "Then not."))
        #expect(last.contains(.storeAnswer("Then not.")))
    }

    @Test(arguments: ["", "  ", "null", "{}", #""{}""#]) func noArgumentsAreAnEmptyObject(arguments: String) {
        var machine = calling(usual)
        _ = machine.step(answer(("add", arguments)))
        guard case .makeCall(let call, .host)? = machine.step(.ruled(.allow)).last else {
            Issue.record("no call")
            return
        }
        #expect(call.arguments == .emptyObject)
    }

    @Test(arguments: ["functions.add", "Add", "ADD"]) func aToolIsKnownUnderUsualSpellings(name: String) {
        var machine = calling(usual)
        #expect(states(machine.step(answer((name, "{}")))) == ["add pending"])
    }

    @Test func aRefusedCallIsNotMade() {
        var machine = calling(usual)
        _ = machine.step(answer(("add", "{}")))
        #expect(
            states(machine.step(.ruled(.deny))) == ["add recorded", "add outcome", "add denied", "1 tool_followup 0+1"]
        )
    }

    @Test func aCallThatAsksWaitsForItsPermission() {
        var machine = calling(offers(.named("add", asks: true)))
        #expect(
            machine.step(answer(("add", "{}"))).last.map { if case .applyRules(_, true) = $0 { true } else { false } }
                == true
        )
        #expect(states(machine.step(.ruled(.ask))) == ["add asked", "add pending"])
        #expect(machine.step(.toolEnded(1, .completed("early"))).isEmpty)
        #expect(states(machine.step(.permitted(true))) == ["add recorded", "add running", "add made"])
        #expect(machine.step(.permitted(false)).isEmpty)
    }

    @Test func aPermissionThatIsRefusedIsAResultForTheModel() {
        var machine = calling(usual)
        _ = machine.step(answer(("add", "{}")))
        _ = machine.step(.ruled(.ask))
        #expect(states(machine.step(.permitted(false))).contains("add denied"))
        let messages = request(machine.step(.offersRead(usual)))?.messages
        #expect(messages?.last?.content == "Error: the user does not allow this call")
    }

    @Test func resultsOfOtherCallsAreNotTaken() {
        var machine = calling(usual)
        _ = machine.step(answer(("add", "{}")))
        _ = machine.step(.ruled(.allow))
        #expect(machine.step(.toolEnded(2, .completed("?"))).isEmpty)
        #expect(machine.step(.toolProgress(2, .null)).isEmpty)
        #expect(machine.step(.toolProgress(1, .null)).count == 1)
        #expect(!machine.step(.toolEnded(1, .completed("1"))).isEmpty)
        #expect(machine.step(.toolEnded(1, .completed("twice"))).isEmpty)
    }

    /// Makes the same call so often and gives the results.
    private func round(_ machine: inout RunMachine, _ call: (String, String), _ result: String) -> [String] {
        let serial = machine.loop.lastSerial + 1
        var all = states(machine.step(answer(call)))
        all += states(machine.step(.ruled(.allow)))
        all += states(machine.step(.toolEnded(serial, .completed(result))))
        let next = machine.step(.offersRead(usual))
        if let request = request(next), request.tools.isEmpty { all.append("without tools") }
        return all + states(next)
    }

    @Test func theSameCallWithTheSameResultIsNotMadeAThirdTime() {
        var machine = calling(usual)
        for _ in 0..<2 { #expect(round(&machine, ("add", "{}"), "1").contains("add made")) }
        #expect(
            round(&machine, ("add", "{}"), "1") == [
                "add pending", "add guarded", "add recorded", "add outcome", "add failed", "3 tool_summary 0+1",
                "without tools",
            ]
        )
        let last = machine.step(answer(("add", "{}"), text: "So it is 1."))
        #expect(last.contains(.storeAnswer("So it is 1.")))
        #expect(states(last).last == "end completed")
    }

    @Test func theSameCallMayGiveNewResults() {
        var machine = calling(usual)
        for result in 1...10 { #expect(round(&machine, ("add", "{}"), "\(result)").contains("add made")) }
    }

    @Test func theModelIsCalledTwentyFiveTimes() {
        var machine = calling(usual)
        for index in 1...24 { #expect(!round(&machine, ("add", #"{"n":\#(index)}"#), "x").contains("end error")) }
        let last = round(&machine, ("add", "{}"), "x")
        #expect(last.suffix(2) == ["25 tool_followup 1+0", "end error"])
        #expect(machine.phase == .over)
    }

    @Test func aToolIsCalledTwoHundredTimes() {
        var machine = calling(usual)
        var made = 0
        for turn in 0..<3 {
            let calls = (0..<100).map { ModelToolCall(id: "", name: "add", arguments: #"{"n":\#(turn * 100 + $0)}"#) }
            _ = machine.step(.model([.toolCalls(calls), .finished(reason: nil)]))
            while machine.loop.turn?.current != nil {
                let actions = machine.step(.ruled(.allow))
                for case .makeCall(let call, _) in actions {
                    made += 1
                    _ = machine.step(.toolEnded(call.serial, .completed("x")))
                }
            }
            _ = machine.step(.offersRead(usual))
        }
        #expect(made == 200)
        #expect(machine.phase == .calling)
    }

    @Test func textBeforeCallsIsToldButTheAnswerIsTheLastText() {
        var machine = calling(usual)
        let first = machine.step(answer(("add", "{}"), text: "Let me see."))
        #expect(first.contains(.publish(.delta("Let me see."))))
        let made = machine.step(.ruled(.allow))
        #expect(made.first.map { if case .recordCall(_, "Let me see.") = $0 { true } else { false } } == true)
        _ = machine.step(.toolEnded(1, .completed("1")))
        _ = machine.step(.offersRead(usual))
        let last = machine.step(.model([.text("One."), .finished(reason: "stop")]))
        #expect(last.contains(.storeAnswer("One.")))
    }

    @Test func eachRoundOffersWhatTheHostOffersThen() {
        var machine = calling(usual)
        _ = machine.step(answer(("add", "{}")))
        _ = machine.step(.ruled(.allow))
        _ = machine.step(.toolEnded(1, .completed("1")))
        #expect(request(machine.step(.offersRead(offers(.named("other")))))?.tools.map(\.name) == ["other"])
    }

    enum Moment: CaseIterable { case rules, permission, tool }

    /// A machine whose run has come so far.
    private func machine(at moment: Moment) -> RunMachine {
        var machine = calling(usual)
        _ = machine.step(answer(("add", "{}"), text: "Well."))
        if moment != .rules { _ = machine.step(.ruled(moment == .permission ? .ask : .allow)) }
        return machine
    }

    @Test(arguments: Moment.allCases) func aRunIsCancelledAtEachMomentOfACall(moment: Moment) {
        var machine = machine(at: moment)
        let actions = machine.step(.cancelled)
        let recorded = moment == .tool ? ["add outcome"] : []
        #expect(states(actions) == ["dropped cancelled"] + recorded + ["add failed", "end cancelled"])
        #expect(!actions.contains(.storeAnswer("Well.")))
        #expect(machine.step(.toolEnded(1, .completed("late"))).isEmpty)
        #expect(machine.step(.permitted(true)).isEmpty)
    }

    @Test(arguments: Moment.allCases) func aRunTimesOutAtEachMomentOfACall(moment: Moment) {
        var machine = machine(at: moment)
        let actions = machine.step(.timedOut)
        #expect(states(actions).first == "dropped timeout")
        #expect(states(actions).last == "end timeout")
    }

    @Test(arguments: Moment.allCases) func aRunThatLosesItsStateLetsGoOfItsCall(moment: Moment) {
        var machine = machine(at: moment)
        let actions = machine.step(.stateLost("full"))
        #expect(states(actions).first == "dropped error")
        #expect(states(actions).last == "end error")
    }

    @Test func toolModeNoneOffersNothingAtAll() {
        var prompt = Prompt(parts: [.text("hi")])
        prompt.toolMode = .none
        var machine = RunMachine(prompt: prompt, history: [], system: SystemPrompt(directory: nil))
        _ = machine.step(.begin)
        let request = request(machine.step(.modelChosen(.success(choice), usual)))
        #expect(request?.tools.isEmpty == true)
        #expect(request?.messages.first?.content == SystemPrompt(directory: nil).text(hasTools: false))
    }

    @Test func toolModeRequiredHoldsUntilATooIsCalled() {
        var machine = calling(usual) { $0.toolMode = .required }
        #expect(machine.mustCall)
        _ = machine.step(answer(("add", "{}")))
        _ = machine.step(.ruled(.allow))
        _ = machine.step(.toolEnded(1, .completed("1")))
        #expect(request(machine.step(.offersRead(usual)))?.mustCall == false)
        #expect(states(machine.step(.model([.text("One."), .finished(reason: nil)]))).last == "end completed")
    }

    @Test func aModelThatCallsNoRequiredToolIsRemindedOnce() {
        var machine = calling(usual) { $0.toolMode = .required }
        let words: RunMachine.Input = .model([.text("No."), .finished(reason: "stop")])
        #expect(states(machine.step(words)) == ["1 required_tool_unsatisfied 0+0"])
        let again = request(machine.step(.offersRead(usual)))
        #expect(again?.mustCall == true)
        #expect(again?.messages.suffix(2).map(\.role) == [.assistant, .user])
        let last = machine.step(words)
        #expect(states(last) == ["no_tool_was_called", "2 required_tool_unsatisfied 0+0", "end completed"])
        #expect(
            last.contains {
                if case .storeAnswer(let text) = $0 {
                    text.hasPrefix("TOOL_MODE_REQUIRED_NOT_SATISFIED: no_tool_was_called")
                } else {
                    false
                }
            }
        )
    }

    @Test func aRequiredToolThatNobodyOffersNeedsNoModel() {
        var machine = RunMachine(
            prompt: Prompt(parts: [.text("hi")]),
            history: [],
            system: SystemPrompt(directory: nil)
        )
        var prompt = machine.prompt
        prompt.toolMode = .required
        machine = RunMachine(prompt: prompt, history: [], system: SystemPrompt(directory: nil))
        _ = machine.step(.begin)
        let actions = machine.step(.modelChosen(.success(choice)))
        #expect(request(actions) == nil)
        #expect(states(actions) == ["no_tool_is_offered", "1 required_tool_unsatisfied 0+0", "end completed"])
    }

    private let nothing: RunMachine.Input = .model([.finished(reason: nil)])

    @Test func aModelThatIsSilentAfterToolsIsAskedOnceMoreWithoutThem() {
        var machine = calling(usual)
        _ = round(&machine, ("add", "{}"), "1")
        #expect(states(machine.step(nothing)) == ["2 tool_summary 0+0"])
        let asked = request(machine.step(.offersRead(usual)))
        #expect(asked?.tools.isEmpty == true)
        #expect(asked?.messages.last?.role == .user)
        #expect(asked?.messages.dropLast().last == ModelMessage("1", resultOf: "call_0"))
        let last = machine.step(.model([.text("It is 1."), .finished(reason: "stop")]))
        #expect(last.contains(.storeAnswer("It is 1.")))
        #expect(states(last) == ["3 provider_completion 0+0", "end completed"])
    }

    @Test func aModelThatStaysSilentLeavesWhatItsToolsGave() {
        var machine = calling(usual)
        _ = round(&machine, ("add", "{}"), "1")
        _ = round(&machine, ("read", "{}"), String(repeating: "x", count: 5_000))
        _ = machine.step(nothing)
        _ = machine.step(.offersRead(usual))
        let last = machine.step(nothing)
        let told = "The model used tools and gave no answer. What they gave:\nadd: 1\nread: "
        #expect(last.contains(.storeAnswer(told + String(repeating: "x", count: 1_000))))
        #expect(states(last).last == "end completed")
    }

    @Test func aModelThatSaysNothingAtAllIsNotAskedAgain() {
        var machine = calling(usual)
        #expect(machine.step(nothing).contains(.storeAnswer("The model gave an empty answer.")))
    }

    @Test func callsWhereNoneWereWantedEndAsFailed() {
        var machine = calling(usual)
        _ = round(&machine, ("add", "{}"), "1")
        _ = machine.step(nothing)
        _ = machine.step(.offersRead(usual))
        let last = machine.step(answer(("add", "{}"), text: "Well."))
        #expect(
            states(last) == [
                "add pending", "add unoffered", "add failed", "3 provider_completion 0+0", "end completed",
            ]
        )
        #expect(last.contains(.storeAnswer("Well.")))
    }

    @Test func aRunThatUsedUpItsCallsSaysSoBeforeItFails() {
        var machine = calling(usual)
        for index in 1...24 { _ = round(&machine, ("add", #"{"n":\#(index)}"#), "x") }
        _ = machine.step(answer(("add", "{}")))
        _ = machine.step(.ruled(.allow))
        let last = machine.step(.toolEnded(machine.loop.lastSerial, .completed("x")))
        let spent = last.firstIndex(of: .publish(.roundsSpent))
        let failed = last.firstIndex { if case .publish(.callFailed) = $0 { true } else { false } }
        #expect(spent != nil && failed != nil && (spent ?? 0) < (failed ?? 0))
    }

    private func receipts(_ actions: [RunMachine.Action]) -> [String] {
        actions.compactMap { if case .tell(let receipt) = $0 { "\(receipt.phase) \(receipt.status)" } else { nil } }
    }

    @Test func whatBecomesOfACallIsToldByReceipts() {
        var machine = calling(usual)
        _ = machine.step(answer(("add", "{}"), ("read", "{}"), ("add", "{")))
        #expect(receipts(machine.step(.ruled(.allow))) == ["policy_decision allowed", "invocation started"])
        #expect(receipts(machine.step(.toolEnded(1, .failed("no")))) == ["outcome failed"])
        #expect(receipts(machine.step(.ruled(.deny))) == ["policy_decision blocked"])
        var asked = calling(usual)
        _ = asked.step(answer(("add", "{}")))
        #expect(receipts(asked.step(.ruled(.ask))) == [])
        #expect(receipts(asked.step(.permitted(false))) == ["policy_decision blocked"])
        var stopped = self.machine(at: .tool)
        #expect(receipts(stopped.step(.cancelled)) == ["outcome failed"])
    }

    @Test func argumentsThatCannotBeReadAreToldAndTheModelIsCalledAgain() {
        var machine = calling(usual)
        let actions = machine.step(answer(("add", "{")))
        let told = actions.contains { action in
            if case .publish(.tool(.unreadable(let call, "{", let error))) = action {
                call.name == "add" && error.contains("not valid JSON")
            } else {
                false
            }
        }
        #expect(told)
        #expect(states(actions).last == "1 invalid_tool_args_retry 0+1")
    }

    @Test func writtenArgumentsCountAsTokensOfTheAnswer() {
        var machine = calling(usual)
        let actions = machine.step(answer(("add", #"{"a":123456}"#)))
        for case .publish(.usage(let usage, _, true)) in actions { #expect(usage.completion == 3) }
    }
}

import TandemProviders
import Testing

@testable import TandemEngine

@Suite struct RunMachineTests {
    private let choice = ModelChoice(providerID: "p", modelID: "m")
    private let file = FilePart(mime: "text/plain", name: "a.txt", url: "a.txt")

    private func machine(_ parts: [Prompt.Part] = [.text("hi")], mode: ContextMode = .auto) -> RunMachine {
        RunMachine(prompt: Prompt(parts: parts, contextMode: mode), history: [], system: SystemPrompt(directory: nil))
    }

    /// A machine whose model has been called.
    private func calling() -> RunMachine {
        var machine = machine()
        _ = machine.step(.begin)
        _ = machine.step(.modelChosen(.success(choice)))
        return machine
    }

    private func events(_ actions: [RunMachine.Action]) -> [String] {
        actions.compactMap { if case .publish(let event) = $0 { event.type } else { nil } }
    }

    private func end(_ actions: [RunMachine.Action]) -> RunEnd? {
        guard case .end(let end)? = actions.last else { return nil }
        return end
    }

    @Test func itStartsByStoringThePromptAndAskingForAModel() {
        var machine = machine()
        #expect(
            machine.step(.begin) == [
                .publish(.started), .publish(.status("running")), .storePrompt("hi"), .publish(.echo("hi")),
                .chooseModel,
            ]
        )
        #expect(machine.phase == .choosingModel)
    }

    @Test func itReadsFilesBeforeItAsksForAModel() {
        var machine = machine([.text("look"), .file(file), .text("end")])
        let stored = "look\n[file mime=text/plain name=a.txt url=a.txt]\nend"
        #expect(machine.step(.begin).suffix(3) == [.storePrompt(stored), .publish(.echo(stored)), .readFiles([file])])
        #expect(
            machine.step(.filesRead([FileText(text: "content", flaw: nil)]))
                == [.storeModelText("look\ncontent\nend"), .chooseModel]
        )
        guard case .call(let request, _)? = machine.step(.modelChosen(.success(choice))).last else {
            Issue.record("no call")
            return
        }
        #expect(request.messages.last == ModelMessage(.user, "look\ncontent\nend"))
    }

    @Test func deltasAreToldOneByOneEvenBlankOnes() {
        var machine = calling()
        #expect(
            machine.step(.model([.text("a"), .text(" "), .text("\n")]))
                == [.publish(.delta("a")), .publish(.delta(" ")), .publish(.delta("\n"))]
        )
        #expect(machine.text == "a \n")
    }

    @Test func aCompleteAnswerIsStoredBeforeItIsTold() {
        var machine = calling()
        let actions = machine.step(.model([.text("Hello"), .finished(reason: "stop")]))
        #expect(actions.contains(.storeAnswer("Hello")))
        #expect(
            events(actions) == [
                "message.part.updated", "provider.usage", "provider.call.iteration.finish", "message.part.updated",
                "session.updated", "session.status", "session.run.finished",
            ]
        )
        #expect(end(actions)?.status == .completed)
        #expect(machine.phase == .over)
    }

    @Test func usageIsEstimatedWhereTheServerGivesNone() {
        var machine = calling()
        let actions = machine.step(.model([.text("Hello"), .finished(reason: nil)]))
        let prompt = Int64((SystemPrompt(directory: nil).text(hasTools: false).count + "hi".count + 3) / 4)
        let usage = ModelUsage(prompt: prompt, completion: 2, total: prompt + 2)
        #expect(actions.contains(.publish(.usage(usage, choice, isEstimate: true))))
    }

    @Test func anEmptyAnswerSaysSo() {
        var machine = calling()
        let actions = machine.step(.model([.text(" \n"), .finished(reason: nil)]))
        #expect(actions.contains(.storeAnswer("The model gave an empty answer.")))
        #expect(end(actions)?.status == .completed)
    }

    @Test func nothingHappensAfterTheEnd() {
        var machine = calling()
        _ = machine.step(.cancelled)
        for input in [RunMachine.Input.cancelled, .model([.text("late")]), .timedOut, .stateLost("x"), .begin] {
            #expect(machine.step(input).isEmpty)
        }
    }

    @Test func cancellingKeepsTheTextSoFar() {
        var machine = calling()
        _ = machine.step(.model([.text("half")]))
        let actions = machine.step(.cancelled)
        #expect(actions.prefix(2) == [.stopCall, .storeAnswer("half")])
        #expect(events(actions) == ["session.status", "session.run.finished"])
        #expect(end(actions) == RunEnd(status: .cancelled, error: nil, category: "user_cancelled"))
    }

    @Test func cancellingBeforeTheCallStoresNothing() {
        var machine = machine([.file(file)])
        _ = machine.step(.begin)
        let actions = machine.step(.cancelled)
        #expect(!actions.contains(.stopCall))
        #expect(actions.count == 3)
        #expect(machine.step(.filesRead([])).isEmpty)
    }

    @Test func aFailureKeepsTheTextAndLeavesANotice() {
        var machine = calling()
        let actions = machine.step(.model([.text("half"), .failed(ModelFailure(.provider, "broke", status: 500))]))
        #expect(actions.contains(.storeAnswer("half")))
        #expect(actions.contains(.storeNotice("ENGINE_ERROR: PROVIDER_SERVER_ERROR: broke")))
        #expect(end(actions) == RunEnd(status: .error, error: "broke", category: "provider"))
    }

    @Test func aRunThatTakesTooLongTimesOut() {
        var machine = calling()
        let actions = machine.step(.timedOut)
        #expect(actions.first == .stopCall)
        #expect(end(actions)?.status == .timeout)
        #expect(events(actions).first == "session.error")
    }

    @Test func aRefusedModelFailsLikeACall() {
        var machine = machine()
        _ = machine.step(.begin)
        let actions = machine.step(.modelChosen(.failure(.missing("x", configured: ["a"]))))
        #expect(
            events(actions) == [
                "context.profile.selected", "tool.routing.decision", "provider.call.iteration.start",
                "provider.call.iteration.error", "session.updated", "session.status", "session.error",
                "session.status", "session.updated", "session.run.finished",
            ]
        )
        #expect(end(actions)?.category == "missing_connection")
    }

    @Test func fullContextHasALimit() {
        var machine = machine([.text(String(repeating: "x", count: ContextMode.fullCharacters + 1))], mode: .full)
        _ = machine.step(.begin)
        #expect(end(machine.step(.modelChosen(.success(choice))))?.status == .error)
    }
}

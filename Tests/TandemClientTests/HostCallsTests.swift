import TandemContract
import TandemJSON
import TandemSystem
import Testing

@testable import TandemClient

/// A client's part of host calls, as an engine and a host see it.
@Suite final class HostCallsTests {
    private let fixture: ClientFixture
    private let receiver = FakeReceiver()
    private let tool = HostFunction(function: 21, context: 22, drop: 23)

    private var host: FakeHost { fixture.host }
    private var client: Client { fixture.client }

    init() throws { fixture = try ClientFixture() }

    private func provide(_ spec: String, _ function: HostFunction? = nil) throws -> UInt64 {
        try client.provide(JSONText(checking: spec), function).get()
    }

    private func provideTool(_ timeout: Int = 60_000, _ function: HostFunction? = nil) throws -> UInt64 {
        try provide(#"{"kind":"tool","name":"add","timeout_ms":\#(timeout)}"#, function ?? tool)
    }

    private func ask(_ name: String = "add", session: String? = nil, kind: HostCall.Kind = .tool) throws -> UInt64 {
        let input = try JSONText(checking: #"{"a":1}"#)
        let call = HostCall(kind, name: name, sessionID: session, runID: "r", input: input)
        return try #require(fixture.desk.ask(call, receiver))
    }

    private func reply(_ id: UInt64, _ text: String) throws -> Int32 {
        client.reply(id, .success(try JSONText(checking: text)))
    }

    @Test func engineSeesWhatIsOffered() throws {
        #expect(fixture.desk.offers == HostOffers())
        let id = try provideTool()
        _ = try provide(#"{"kind":"model","name":"m","tools":true}"#)
        _ = try provide(#"{"kind":"question"}"#)
        let offers = fixture.desk.offers
        #expect(offers.tools.map(\.name) == ["add"])
        #expect(offers.models.map(\.name) == ["m"])
        #expect(offers.answersQuestions)
        #expect(!offers.answersPermissions)
        #expect(client.withdraw(id) == (0, tool))
        #expect(fixture.desk.offers.tools == [])
        #expect(client.withdraw(id).status == FailureName.gone.code)
        #expect(client.withdraw(7).status == FailureName.invalidArgument.code)
    }

    @Test func nameIsTakenOnce() throws {
        _ = try provideTool()
        #expect(throws: Failure.self) { try provideTool() }
        _ = try provide(#"{"kind":"model","name":"add"}"#)
        _ = try provide(#"{"kind":"permission"}"#)
        let failure = try #require(throws: Failure.self) { _ = try provide(#"{"kind":"permission"}"#) }
        #expect(failure.name == .invalidArgument)
    }

    @Test func callReachesTheFunctionAndItsReplyTheEngine() throws {
        _ = try provideTool()
        let id = try ask(session: "s")
        host.inside = { _ in #expect(self.client.isReplyWanted(id) == 1) }
        #expect(try fixture.pump() == 1)
        let call = try #require(host.calls.first)
        #expect(
            call.text
                == #"{"op":0,"seq":1,"type":"host.call","tag":null,"call":\#(id),"kind":"tool","name":"add","#
                + #""session_id":"s","run_id":"r","timeout_ms":60000,"input":{"a":1}}"#
        )
        #expect(try reply(id, #"{"ok":"3"}"#) == 0)
        #expect(client.isReplyWanted(id) == 0)
        #expect(try reply(id, #"{"ok":"3"}"#) == FailureName.gone.code)
        #expect(receiver.waitFor(1) == [#"end "3""#])
        #expect(host.drops == [])
    }

    @Test func nobodyIsAskedWhatNobodyOffers() throws {
        let call = HostCall(.tool, name: "add", sessionID: nil, runID: nil, input: .emptyObject)
        #expect(fixture.desk.ask(call, receiver) == nil)
        _ = try provide(#"{"kind":"model","name":"add"}"#)
        #expect(fixture.desk.ask(call, receiver) == nil)
    }

    @Test func unknownCallIsNone() throws {
        let provider = try provideTool()
        #expect(try reply(1, #"{"ok":"3"}"#) == FailureName.invalidArgument.code)
        #expect(try reply(provider, #"{"ok":"3"}"#) == FailureName.invalidArgument.code)
        #expect(client.isReplyWanted(0) == FailureName.invalidArgument.code)
        #expect(client.replyChunk(1 << 40, .success(.null)) == FailureName.invalidArgument.code)
        #expect(client.cancel(provider) == .unknown)
    }

    @Test(arguments: ["[1]", #"{"ok":1}"#])
    func replyThatCannotBeReadFailsTheCall(text: String) throws {
        _ = try provideTool()
        let id = try ask()
        _ = try fixture.pump()
        #expect(try reply(id, text) == FailureName.invalidArgument.code)
        #expect(receiver.waitFor(1).first?.hasPrefix("failed host_failed the host's reply cannot be read") ?? false)
        #expect(client.isReplyWanted(id) == 0)
    }

    @Test func pieceThatCannotBeReadEndsTheCallAndTheHostIsTold() throws {
        _ = try provide(#"{"kind":"model","name":"m"}"#, tool)
        let id = try ask("m", kind: .model)
        _ = try fixture.pump()
        #expect(client.replyChunk(id, .success(try JSONText(checking: "5"))) == FailureName.invalidArgument.code)
        #expect(receiver.waitFor(1).first?.hasPrefix("failed host_failed the host's reply cannot be read") ?? false)
        #expect(client.isReplyWanted(id) == 0)
        #expect(try fixture.pump() == 1)
        let end = try #require(host.calls.last)
        #expect(end["type"]?.string == "host.cancel")
        #expect(end["call"]?.integer == Int64(id))
        #expect(end["reason"]?.string == "host_failed")
    }

    @Test func errorOfTheHostIsItsWord() throws {
        _ = try provideTool()
        let id = try ask()
        _ = try fixture.pump()
        #expect(try reply(id, #"{"error":{"message":"no luck"}}"#) == 0)
        #expect(receiver.waitFor(1) == ["failed host_failed no luck"])
    }

    @Test func callThatIsNotAnsweredTimesOut() throws {
        _ = try provideTool(30)
        let id = try ask()
        #expect(try fixture.pump(1, 10_000) == 1)
        #expect(receiver.waitFor(1).first?.hasPrefix("failed host_timeout") ?? false)
        #expect(try fixture.pump(1, 10_000) == 1)
        let end = try #require(host.calls.last)
        #expect(end["type"]?.string == "host.cancel")
        #expect(end["call"]?.integer == Int64(id))
        #expect(end["reason"]?.string == "host_timeout")
        #expect(try reply(id, #"{"ok":"3"}"#) == FailureName.gone.code)
    }

    @Test func callThatTimesOutUnseenIsNotShown() throws {
        _ = try provideTool(30)
        _ = try ask()
        _ = receiver.waitFor(1)
        #expect(try fixture.pump() == 0)
    }

    @Test func pieceOfAModelsAnswerGivesItMoreTime() throws {
        _ = try provide(#"{"kind":"model","name":"m","timeout_ms":1500}"#, tool)
        let id = try ask("m", kind: .model)
        let end = Deadline(afterMilliseconds: 2_500)
        var count = 0
        while !end.hasPassed {
            #expect(client.replyChunk(id, .success(try JSONText(checking: #""x""#))) == 0)
            count += 1
            #expect(receiver.waitFor(count).last == #"{"content":"x"}"#)
            let pause = Monitor(false)
            _ = pause.wait(until: Deadline(afterMilliseconds: 50)) { $0 ? true : nil }
        }
        #expect(try reply(id, #"{"ok":{"finish_reason":"stop"}}"#) == 0)
        #expect(receiver.waitFor(count + 1).last?.hasPrefix("end") ?? false)
    }

    @Test func piecesAreForModelsAndTools() throws {
        _ = try provide(#"{"kind":"permission"}"#, tool)
        let id = try ask("bash", kind: .permission)
        #expect(client.replyChunk(id, .success(.null)) == FailureName.invalidArgument.code)
        #expect(client.isReplyWanted(id) == 1)
        #expect(try reply(id, #"{"ok":"once"}"#) == 0)
        #expect(client.replyChunk(id, .success(.null)) == FailureName.gone.code)
    }

    @Test func tooLargeAPieceIsRefusedAndTheCallGoesOn() throws {
        _ = try provide(#"{"kind":"model","name":"m"}"#, tool)
        let id = try ask("m", kind: .model)
        let large = JSONText(string: String(repeating: "x", count: ReplyLine.limitBytes))
        #expect(client.replyChunk(id, .success(large)) == FailureName.limit.code)
        #expect(client.isReplyWanted(id) == 1)
    }

    @Test func cancelledCallIsToldAndItsReceiverHearsNothing() throws {
        _ = try provideTool()
        let id = try ask()
        _ = try fixture.pump()
        fixture.desk.cancel(id, reason: "cancelled")
        #expect(try fixture.pump() == 1)
        #expect(host.calls.last?["reason"]?.string == "cancelled")
        #expect(try reply(id, #"{"ok":"3"}"#) == FailureName.gone.code)
        #expect(receiver.all == [])
        fixture.desk.cancel(id, reason: "again")
        #expect(try fixture.pump() == 0)
    }

    @Test func replyThatIsOnItsWayIsNotHeardAfterCancel() throws {
        _ = try provideTool()
        let id = try ask()
        let isHeld = Monitor(true)
        fixture.loop.post { _ = isHeld.wait(until: .never) { $0 ? nil : true } }
        #expect(try reply(id, #"{"ok":"3"}"#) == 0)
        fixture.desk.cancel(id, reason: "cancelled")
        isHeld.change { $0 = false }
        let isDone = Monitor(false)
        fixture.loop.post { isDone.change { $0 = true } }
        _ = isDone.wait(until: Deadline(afterMilliseconds: 10_000)) { $0 ? true : nil }
        #expect(receiver.all == [])
    }

    @Test func unseenCallsOfAWithdrawnProviderFailAndSeenOnesGoOn() throws {
        let provider = try provideTool()
        let seen = try ask()
        _ = try fixture.pump(1)
        let unseen = try ask()
        host.inside = { _ in }
        #expect(client.withdraw(provider) == (0, tool))
        #expect(receiver.waitFor(1).first?.hasPrefix("failed host_failed") ?? false)
        #expect(try reply(unseen, #"{"ok":"3"}"#) == FailureName.gone.code)
        #expect(try reply(seen, #"{"ok":"3"}"#) == 0)
        #expect(receiver.waitFor(2).last == #"end "3""#)
        #expect(try fixture.pump() == 0)
    }

    @Test func providerThatIsWithdrawnWhileItRunsIsDroppedByItsLastCall() throws {
        let provider = try provideTool()
        _ = try ask()
        host.inside = { _ in #expect(self.client.withdraw(provider) == (0, nil)) }
        #expect(try fixture.pump() == 1)
        #expect(host.drops == [tool])
    }

    @Test func withdrawnFunctionIsNotToldOfTheEnd() throws {
        let provider = try provideTool()
        let id = try ask()
        _ = try fixture.pump()
        _ = client.withdraw(provider)
        fixture.desk.cancel(id, reason: "cancelled")
        #expect(try fixture.pump() == 0)
        #expect(try fixture.next() == [])
    }

    @Test func callWithoutAFunctionIsAnEvent() throws {
        _ = try provide(#"{"kind":"tool","name":"add"}"#)
        let id = try ask()
        #expect(try fixture.pump() == 0)
        let events = try fixture.nextEvents()
        #expect(events.map { $0["type"]?.string } == ["host.call"])
        fixture.desk.cancel(id, reason: "cancelled")
        #expect(try fixture.next() == ["host.cancel"])
    }

    @Test func waiterServesTheCallsOfItsOperation() throws {
        _ = try provideTool()
        let id = try fixture.submit("engine.stream", #"{"session_id":"s","$tag":5}"#)
        let call = try ask(session: "s")
        host.inside = { event in
            #expect(event["op"]?.integer == Int64(id))
            #expect(event["tag"]?.integer == 5)
            #expect((try? self.reply(call, #"{"ok":"3"}"#)) == 0)
            try? self.fixture.backend.end()
        }
        #expect(try fixture.wait(id)["ok"] != nil)
        #expect(host.calls.count == 1)
        #expect(receiver.waitFor(1) == [#"end "3""#])
    }

    @Test func streamThatComesLateTakesOverWhatNobodyWasShown() throws {
        _ = try provideTool()
        let shown = try ask(session: "s")
        _ = try fixture.pump(1)
        let early = try ask(session: "s")
        let other = try ask(session: "another")
        let id = try fixture.submit("engine.stream", #"{"session_id":"s","$tag":5}"#)
        host.inside = { event in
            #expect(event["op"]?.integer == Int64(id))
            #expect(event["tag"]?.integer == 5)
            #expect(event["call"]?.integer == Int64(early))
            try? self.fixture.backend.end()
        }
        #expect(try fixture.wait(id)["ok"] != nil)
        #expect(host.calls.count == 2)
        host.inside = { _ in }
        #expect(try fixture.pump() == 1)
        #expect(host.calls.compactMap { $0["call"]?.integer } == [shown, early, other].map { Int64($0) })
    }

    @Test func callOfABlockingPromptIsServedByTheThreadThatBlocks() throws {
        _ = try provideTool()
        let beginning = try fixture.beginCall("sessions.prompt_sync", #"{"session_id":"s","prompt":[]}"#)
        let call = try ask(session: "s")
        host.inside = { _ in
            #expect((try? self.reply(call, #"{"ok":"3"}"#)) == 0)
            try? self.fixture.backend.end(.success(.json(.emptyArray)))
        }
        #expect(try fixture.pump() == 0, "it is not the pump's")
        let result = try host.run(beginning).result
        #expect(result?["ok"] != nil)
        #expect(host.calls.count == 1)
    }

    @Test func callWithoutAnOperationIsForPumpAndNextOnly() throws {
        _ = try provideTool()
        let id = try fixture.submit("engine.stream", #"{"session_id":"s"}"#)
        _ = try ask(session: "another")
        #expect(try fixture.wait(id, 0).errorName == "pending")
        #expect(try fixture.pump() == 1)
    }

    @Test func closingForgetsCallsAndDropsFunctions() throws {
        _ = try provideTool()
        let id = try ask()
        #expect(try fixture.close() == 0)
        #expect(host.drops == [tool])
        #expect(host.calls == [], "a call that was queued is not shown any more")
        #expect(receiver.all == [])
        #expect(client.isReplyWanted(id) == 0)
        #expect(fixture.desk.offers == HostOffers())
    }

    @Test func deskOfAClientThatIsGoneAsksNobody() throws {
        let desk = HostDesk()
        let call = HostCall(.tool, name: "add", sessionID: nil, runID: nil, input: .emptyObject)
        #expect(desk.ask(call, receiver) == nil)
        #expect(desk.offers == HostOffers())
        desk.cancel(5, reason: "nothing")
    }
}

import TandemContract
import TandemJSON
import Testing

@testable import TandemClient

@Suite struct OpenDecisionsTests {
    private func event(_ type: String, _ properties: String) throws -> EngineEvent {
        EngineEvent(type: type, properties: try JSONText(checking: properties))
    }

    private func asked(_ id: String, session: String = "s") throws -> EngineEvent {
        try event(
            "permission.asked",
            #"{"sessionID":"\#(session)","requestID":"\#(id)","tool":"bash","args":{"a":1},"requestedAtMs":5,"#
                + #""expiresAtMs":9}"#
        )
    }

    private func question(_ id: String) throws -> EngineEvent {
        try event("question.asked", #"{"sessionID":"s","id":"\#(id)","questions":[{"question":"Why?"}]}"#)
    }

    private let ready = EngineEvent(type: "engine.lifecycle.ready", properties: .emptyObject)

    /// Connected, and the first lists read.
    private func connected(_ kinds: OpenDecisions.Kind...) throws -> OpenDecisions {
        var open = OpenDecisions()
        _ = open.want(kinds)
        #expect(open.heard(ready) == kinds.map { .list($0) })
        for kind in kinds { #expect(open.listed(kind, [], atMilliseconds: 0) == []) }
        return open
    }

    private func words(_ actions: [OpenDecisions.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .ask(let request): "ask \(request.id)"
            case .cancel(let request, let reason): "cancel \(request.id): \(reason)"
            case .list(let kind): "list \(kind)"
            }
        }
    }

    @Test func permissionIsAskedUnderItsDocumentedNames() throws {
        var open = try connected(.permission)
        let actions = open.heard(try asked("p"))
        guard case .ask(let request) = try #require(actions.first) else { throw Failure(.internalError, "not asked") }
        #expect(request.kind == .permission)
        #expect(request.sessionID == "s")
        #expect(request.name == "bash")
        #expect(request.expiresAtMilliseconds == 9)
        #expect(
            request.input.text
                == #"{"request_id":"p","tool":"bash","args":{"a":1},"requested_at_ms":5,"expires_at_ms":9}"#
        )
        #expect(open.heard(try asked("p")) == [], "once")
    }

    @Test func questionIsAskedWithWhatItAsks() throws {
        var open = try connected(.question)
        guard case .ask(let request) = try #require(open.heard(try question("q")).first) else {
            throw Failure(.internalError, "not asked")
        }
        #expect(request.kind == .question)
        #expect(request.input.text == #"{"request_id":"q","questions":[{"question":"Why?"}]}"#)
    }

    @Test func whatTheHostDoesNotDecideIsNotAsked() throws {
        var open = try connected(.question)
        #expect(open.heard(try asked("p")) == [])
    }

    @Test func requestsThatWereOpenBeforeAreAsked() throws {
        var open = OpenDecisions()
        _ = open.want([.permission])
        _ = open.heard(ready)
        let list = try JSONText(
            checking: """
                [{"id":"old","status":"once"},{"id":"late","status":"pending","expiresAtMs":5},
                {"id":"p","status":"pending","expiresAtMs":50,"sessionID":"s","tool":"bash"},{"status":"pending"}]
                """
        )
        #expect(words(open.listed(.permission, list.elements, atMilliseconds: 10)) == ["ask p"])
    }

    @Test func kindThatIsWantedLaterIsListedAtOnce() throws {
        var open = try connected(.permission)
        #expect(words(open.want([.permission, .question])) == ["list question"])
        #expect(words(open.want([.question])) == [])
        var late = OpenDecisions()
        #expect(late.want([.question]) == [], "there is no stream yet")
    }

    @Test(arguments: [
        ("permission.replied", #"{"requestID":"p"}"#, "resolved"),
        ("permission.wait.timeout", #"{"requestID":"p"}"#, "expired"),
        ("session.run.finished", #"{"sessionID":"s","runID":"r"}"#, "the run is over"),
    ])
    func requestThatIsOverIsTakenBack(type: String, properties: String, reason: String) throws {
        var open = try connected(.permission)
        _ = open.heard(try asked("p"))
        _ = open.heard(try asked("other", session: "t"))
        #expect(words(open.heard(try event(type, properties))) == ["cancel p: \(reason)"])
        #expect(open.heard(try event(type, properties)) == [])
    }

    @Test func whatTheHostDecidedIsNotTakenBack() throws {
        var open = try connected(.permission)
        _ = open.heard(try asked("p"))
        open.decide("p")
        #expect(open.heard(try event("permission.replied", #"{"requestID":"p"}"#)) == [])
    }

    @Test func whatTheHostDecidedIsAskedAgainOnlyWhereTheEngineDidNotHear() throws {
        var open = try connected(.permission)
        _ = open.heard(try asked("p"))
        open.decide("p")
        let list = try JSONText(checking: #"[{"id":"p","status":"pending","sessionID":"s"}]"#).elements
        #expect(open.listed(.permission, list, atMilliseconds: 0) == [], "the list is older than the reply")
        open.forget("p")
        #expect(words(open.listed(.permission, list, atMilliseconds: 0)) == ["ask p"])
    }

    @Test func onlyTheLatestDecisionsAreRemembered() throws {
        var open = try connected(.permission)
        for number in 0...256 {
            _ = open.heard(try asked("p\(number)"))
            open.decide("p\(number)")
        }
        #expect(open.heard(try asked("p256")) == [])
        #expect(words(open.heard(try asked("p0"))) == ["ask p0"])
    }

    @Test(arguments: [true, false])
    func questionEndsWithItsRunWhereThatWaitsForIt(waits: Bool) throws {
        var open = try connected(.question)
        open.questionsWait = waits
        _ = open.heard(try question("q"))
        let actions = open.heard(try event("session.run.finished", #"{"sessionID":"s"}"#))
        #expect(words(actions) == (waits ? ["cancel q: the run is over"] : []))
        let replied = open.heard(try event("question.replied", #"{"id":"q","ok":true}"#))
        #expect(words(replied) == (waits ? [] : ["cancel q: resolved"]))
    }

    @Test func requestThatIsGoneAfterABreakIsTakenBack() throws {
        var open = try connected(.permission)
        _ = open.heard(try asked("p"))
        _ = open.heard(try asked("q"))
        open.disconnected()
        #expect(words(open.heard(ready)) == ["list permission"])
        _ = open.heard(try asked("new"))
        let list = try JSONText(checking: #"[{"id":"q","status":"pending","sessionID":"s"}]"#)
        let actions = open.listed(.permission, list.elements, atMilliseconds: 0)
        #expect(words(actions) == ["cancel p: gone"], "what was asked since the list was made is not in it")
    }

    @Test func answersBecomeOneText() throws {
        func text(_ answers: String) throws -> String? {
            OpenDecisions.text(ofAnswers: try JSONText(checking: answers)).string
        }
        #expect(try text(#"["yes"]"#) == "yes")
        #expect(try text(#"["a",["b","c"],1]"#) == "a\nb, c\n1")
        #expect(try text("[]") == "")
    }
}

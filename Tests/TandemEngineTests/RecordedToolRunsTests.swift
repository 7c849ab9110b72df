import Glibc
import TandemContract
import TandemJSON
import TandemProviders
import TandemSystem
import Testing

@testable import TandemEngine

/// Runs with tools as the real engine was recorded, beside what the engine inside does with the same model.
@Suite struct RecordedToolRunsTests {
    struct Recorded: Sendable, CustomTestStringConvertible {
        let prompt: String
        let answers: [[ModelEvent]]
        /// What the user replied when asked for permission.
        let reply: String?
        let digest: [String]
        /// The type of each event and the names of its properties.
        let events: [(type: String, keys: [String])]

        var testDescription: String { prompt }
    }

    /// What is different here, and why.
    private static func expected(_ run: Recorded) -> [String] {
        var lines = run.digest
        // What a tool of the host changes is the host's own business.
        lines.removeAll { $0 == "mutation.checkpoint.recorded" }
        // A call that is not made ends like all others: the recorded engine leaves its last state open.
        if let place = lines.firstIndex(of: "tool no_such_tool running") {
            lines.insert(contentsOf: ["tool no_such_tool pending", "tool no_such_tool failed"], at: place + 1)
        } else if let place = lines.indices.last(where: { lines[$0].hasPrefix("tool ") }),
            lines[place].hasSuffix(" pending")
        {
            lines.insert(String(lines[place].dropLast("pending".count)) + "denied", at: place + 1)
        }
        // A question is answered while its tool waits, not after the run.
        if let place = lines.firstIndex(of: "question.asked") { lines.insert("question.replied", at: place + 1) }
        // The last answer is told piece by piece also where the recorded engine had it made by another kind of call.
        if let final = lines.firstIndex(where: { $0.hasPrefix("final ") }), !lines[final - 1].hasPrefix("delta ") {
            let words = pieces(String(lines[final].dropFirst("final ".count)))
            lines.insert(contentsOf: words.map { "delta " + $0 }, at: final)
        }
        return lines
    }

    /// Properties that are not there, by the type of the event; "*": the engine's account of things that are not built.
    private static let missing: [String: Set<String>] = [
        "tool.routing.decision": [
            "fallbackReason", "fallbackToFullTools", "hiddenByScope", "intent", "retrievalEnabled", "retrievalK",
            "scopeAllowlist", "strictProjectionActive",
        ],
        "context.budget.final": [
            "attachmentChars", "attachmentCount", "compactionOccurred", "contribution", "deferredDueToBudget",
            "droppedDueToBudget", "droppedHistoryChars", "historyProfile", "pinnedHistoryMessages",
            "staleToolInvocationCharsSaved", "staleToolInvocationsDemoted", "toolResultCharsSaved",
            "toolResultsCompacted",
        ],
    ]

    @Test(arguments: recorded) func theSameThingsAreToldInTheSameOrder(run: Recorded) throws {
        #expect(digest(try events(of: run)) == Self.expected(run))
    }

    @Test(arguments: recorded.filter { !$0.events.isEmpty }) func eventsHaveTheRecordedProperties(run: Recorded) throws
    {
        var rest = try events(of: run)[...]
        for want in run.events where want.type != "mutation.checkpoint.recorded" {
            let skipped = rest.prefix { $0.type != want.type }
            let came = try #require(rest.dropFirst(skipped.count).first, "\(want.type) is missing")
            // What the recorded engine has not is a piece of the answer, or the reply to a question.
            #expect(
                skipped.allSatisfy {
                    ["message.part.updated", "question.replied"].contains($0.type) || isAfterDenial(run)
                }
            )
            rest = rest.dropFirst(skipped.count + 1)
            guard want.type != "message.part.updated" else { continue }
            let keys = Set(came.properties.members.map(\.key))
            let gone = Set(want.keys).subtracting(keys).subtracting(Self.missing[want.type] ?? [])
            #expect(gone.isEmpty, "\(want.type)")
        }
    }

    private func isAfterDenial(_ run: Recorded) -> Bool { run.digest.contains { $0.hasSuffix(" denied") } }

    /// Makes the run and gives its events.
    private func events(of run: Recorded) throws -> [EngineEvent] {
        let tools = ["write", "read", "edit", "bash", "glob", "grep", "codesearch"]
        let host = FakeHost(tools: tools.map { HostTool.named($0, asks: run.reply != nil) }) { _ in
            .success(JSONText(string: "ok"))
        }
        let fixture = try EngineFixture(ScriptedModel(answers: run.answers)) { $0.host = host }
        let isDenied = run.prompt == "go [[r]]"
        let rules = isDenied ? #"[{"permission":"read","action":"deny"}]"# : "[]"
        let session = try fixture.session(#"{"permission":\#(rules)}"#)
        let (events, _) = fixture.stream(session: session)
        let allowlist = (tools + ["question", "todo_write"]).map { "\"\($0)\"" }.joined(separator: ",")
        let text = JSONText(string: run.prompt).text
        let body = #"{"parts":[{"type":"text","text":\#(text)}],"toolAllowlist":[\#(allowlist)]}"#
        _ = try fixture.call(.sessionsPromptAsync, session, body)
        if let reply = run.reply { try answer(fixture, events, reply) }
        if run.digest.contains("question.asked") { try answerQuestion(fixture, events) }
        return Array(try #require(events.wait(for: finished)).dropFirst(2))
    }

    private func answer(_ fixture: EngineFixture, _ events: Recorder, _ reply: String) throws {
        let asked = try #require(events.wait(for: "permission.asked")?.first { $0.type == "permission.asked" })
        let id = try #require(asked.properties["requestID"]?.string)
        let body = JSONText(trusted: Array(#"{"reply":"\#(reply)"}"#.utf8))
        _ = try fixture.reply(Request(.permissionsReply, path: [Request.Field("request_id", id)], body: body))
    }

    private func answerQuestion(_ fixture: EngineFixture, _ events: Recorder) throws {
        let asked = try #require(events.wait(for: "question.asked")?.first { $0.type == "question.asked" })
        let id = try #require(asked.properties["id"]?.string)
        let body = JSONText(trusted: Array(#"{"answer":"A"}"#.utf8))
        _ = try fixture.reply(Request(.questionsReply, path: [Request.Field("question_id", id)], body: body))
    }

    /// The main events in order, as the recordings have them.
    private func digest(_ events: [EngineEvent]) -> [String] {
        events.compactMap { event in
            let properties = event.properties
            switch event.type {
            case "message.part.updated":
                let part = properties["part"]
                if part?["type"]?.string == "tool" {
                    return "tool \(part?["tool"]?.string ?? "") \(part?["state"]?.string ?? "")"
                }
                return (properties["delta"] == nil ? "final " : "delta ") + (part?["text"]?.string ?? "")
            case finished: return "finished \(properties["status"]?.string ?? "")"
            case "session.run.started", "permission.asked", "permission.replied", "question.asked", "question.replied",
                "todo.updated", "mutation.checkpoint.recorded":
                return event.type
            default: return nil
            }
        }
    }

    private static let recorded: [Recorded] = {
        let path = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
        let fd = open(path + "/Fixtures/tools/recorded_runs.json", O_RDONLY)
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = read(fd, &bytes, bytes.count)
        let json = try? JSONText(checking: Array(bytes.prefix(max(count, 0))))
        return (json?.elements ?? []).map { run in
            Recorded(
                prompt: run["prompt"]?.string ?? "",
                answers: (run["answers"]?.elements ?? []).map(answer),
                reply: run["reply"]?.string,
                digest: run["digest"]?.elements.compactMap(\.string) ?? [],
                events: (run["events"]?.elements ?? []).map { event in
                    (event["type"]?.string ?? "", event["keys"]?.elements.compactMap(\.string) ?? [])
                }
            )
        }
    }()

    @Test func allRunsAreThere() { #expect(Self.recorded.count == 23) }

    /// What the recorded engine's model server sent.
    private static func answer(_ script: JSONText) -> [ModelEvent] {
        let calls = (script["tool_calls"]?.elements ?? []).enumerated().map { index, call in
            ModelToolCall(
                id: "call_\(index)",
                name: call["name"]?.string ?? "",
                arguments: call["arguments"]?.text ?? "{}"
            )
        }
        let deltas = calls.enumerated().map { index, call in
            ModelEvent.toolCallDelta(
                ModelToolDelta(index: index, id: call.id, name: call.name, arguments: call.arguments)
            )
        }
        return pieces(script["text"]?.string ?? "").map { ModelEvent.text($0) } + deltas
            + (calls.isEmpty ? [] : [.toolCalls(calls)]) + [.finished(reason: nil)]
    }

    /// Words with the white space that follows them.
    private static func pieces(_ text: String) -> [String] {
        var pieces: [String] = []
        for character in text {
            if let last = pieces.last?.last, !last.isWhitespace || character.isWhitespace {
                pieces[pieces.count - 1].append(character)
            } else {
                pieces.append(String(character))
            }
        }
        return pieces
    }
}

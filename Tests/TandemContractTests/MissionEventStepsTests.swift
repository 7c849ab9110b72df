import Testing

@testable import TandemContract

@Suite struct MissionEventStepsTests {
    private func arguments(_ event: String) -> String { #"{"mission_id":"m","event":\#(event)}"# }

    private func mission(_ items: String) -> String { #"{"mission":{"mission_id":"m","work_items":[\#(items)]}}"# }

    private func finished(_ item: String, _ run: String) -> String {
        #"missions.apply_event mission_id=m {"event":{"type":"run_finished","mission_id":"m","work_item_id":"\#(item)","run_id":"\#(run)","status":"success"}}"#
    }

    @Test(arguments: [
        (#"{"type":"mission_started"}"#, #"{"type":"mission_started","mission_id":"m"}"#),
        (#"{"type":"x","mission_id":"other"}"#, #"{"type":"x","mission_id":"other"}"#), ("{}", "{}"),
        (#"{"kind":"x"}"#, #"{"kind":"x"}"#),
    ])
    func otherEventsGetTheMissionOnly(event: String, sent: String) throws {
        let performance = try Performance("missions.apply_event", arguments(event), ["{}"])
        #expect(performance.lines == [#"missions.apply_event mission_id=m {"event":\#(sent)}"#])
    }

    @Test(arguments: [(#","run_id":"r""#, "r"), ("", "w"), (#","run_id":null"#, "w")])
    func namedItemNeedsNoReading(member: String, run: String) throws {
        let event = #"{"type":"work_item.completed","work_item_id":"w""# + member + "}"
        let performance = try Performance("missions.apply_event", arguments(event), ["{}"])
        #expect(performance.lines == [finished("w", run)])
    }

    @Test(arguments: [
        (#"{"work_item_id":"a","status":"todo"},{"work_item_id":"b","status":"in_progress","run_id":"r"}"#, "b", "r"),
        (
            #"{"work_item_id":"a","status":"done"},{"work_item_id":"b","status":"blocked"},{"work_item_id":"c","status":"todo"}"#,
            "b", "b"
        ),
        (#"{"work_item_id":"a","status":"rework","run_id":null}"#, "a", "a"),
    ])
    func itemAndRunAreFoundInTheMission(items: String, item: String, run: String) throws {
        let performance = try Performance(
            "missions.apply_event",
            arguments(#"{"type":"work_item.completed"}"#),
            [mission(items), #"{"ok":true}"#]
        )
        #expect(performance.lines == ["missions.get mission_id=m", finished(item, run)])
        #expect(performance.reply?.status == 200)
    }

    @Test func givenRunGoesBeforeTheItems() throws {
        let event = #"{"type":"work_item.completed","run_id":"mine"}"#
        let items = #"{"work_item_id":"w","status":"in_progress","run_id":"r"}"#
        let performance = try Performance("missions.apply_event", arguments(event), [mission(items), "{}"])
        #expect(performance.lines.last == finished("w", "mine"))
    }

    @Test(arguments: ["", #"{"work_item_id":"a","status":"done"}"#, "7"]) func missionWithoutAnOpenItemIsRefused(
        items: String
    )
        throws
    {
        let event = arguments(#"{"type":"work_item.completed"}"#)
        let performance = try Performance("missions.apply_event", event, [mission(items)])
        #expect(performance.failure?.name == .invalidArgument)
        #expect(performance.failure?.message.contains("work_item_id") == true)
        #expect(performance.requests.count == 1)
    }

    @Test(arguments: [#"{"ok":true}"#, #"{"mission":{"work_items":null}}"#, "[]"])
    func whatIsNoMissionLeavesTheEventAsItIs(reply: String) throws {
        let event = arguments(#"{"type":"work_item.completed"}"#)
        let performance = try Performance("missions.apply_event", event, [reply, "422"])
        #expect(
            performance.lines.last
                == #"missions.apply_event mission_id=m {"event":{"type":"work_item.completed","mission_id":"m"}}"#
        )
        #expect(performance.reply?.status == 422)
    }
}

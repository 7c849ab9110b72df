import TandemJSON
import Testing

@testable import TandemContract

@Suite struct PageStepsTests {
    private func sessions(_ ids: ClosedRange<Int>) -> String {
        "[" + ids.map { #"{"id":"\#($0)"}"# }.joined(separator: ",") + "]"
    }

    @Test func pagesAreReadUntilOneIsShort() throws {
        let performance = try Performance(
            "sessions.list",
            #"{"$all":true,"page_size":2,"scope":"global"}"#,
            [sessions(1...2), sessions(3...4), sessions(5...5)]
        )
        #expect(
            performance.lines == [
                "sessions.list scope=global page_size=2 page=1", "sessions.list scope=global page_size=2 page=2",
                "sessions.list scope=global page_size=2 page=3",
            ]
        )
        #expect(performance.reply?.json?.text == sessions(1...5))
    }

    @Test func whatMovedToTheNextPageIsThereOnce() throws {
        let performance = try Performance(
            "sessions.list",
            #"{"$all":true,"page_size":2}"#,
            [sessions(1...2), sessions(2...3), "[]"]
        )
        #expect(performance.reply?.json?.text == sessions(1...3))
    }

    @Test func givenPageIsTheFirst() throws {
        let performance = try Performance("sessions.list", #"{"$all":true,"page":3}"#, ["[]"])
        #expect(performance.lines == ["sessions.list page_size=200 page=3"])
    }

    @Test func offsetsCountWhatCame() throws {
        let performance = try Performance(
            "memory.list",
            #"{"$all":true,"limit":5000}"#,
            [
                #"{"items":[{"id":"1"},{"id":"2"}],"count":2,"offset":0,"limit":2}"#,
                #"{"items":[{"id":"3"}],"count":1,"offset":2,"limit":2}"#,
            ]
        )
        #expect(performance.lines == ["memory.list limit=5000 offset=0", "memory.list limit=5000 offset=2"])
        #expect(
            performance.reply?.json?.text
                == #"{"items":[{"id":"1"},{"id":"2"},{"id":"3"}],"count":3,"offset":0,"limit":2}"#
        )
    }

    @Test func logsAreReadFromWhereTheLastPageEnds() throws {
        let performance = try Performance(
            "engine.run_events",
            #"{"$all":true,"run_id":"r","since_seq":4,"limit":1}"#,
            [
                #"{"events":[{"seq":7}],"count":1,"first_seq":7,"last_seq":7,"limit":1}"#,
                #"{"events":[],"count":0,"first_seq":null,"last_seq":null,"limit":1}"#,
            ]
        )
        #expect(
            performance.lines == [
                "engine.run_events run_id=r limit=1 after_seq=4", "engine.run_events run_id=r limit=1 after_seq=7",
            ]
        )
        #expect(performance.reply?.json?["events"]?.text == #"[{"seq":7}]"#)
    }

    @Test func pageThatLeadsNowhereIsTheLast() throws {
        let page = #"{"events":[{"cursor":1}],"last_cursor":1}"#
        let arguments = #"{"$all":true,"goal_id":"g","limit":1}"#
        let performance = try Performance("stateful_runtime.list_goal_events", arguments, [page, page])
        #expect(performance.requests.count == 2)
        #expect(performance.reply?.status == 200)
    }

    @Test func refusedPageIsTheAnswer() throws {
        let performance = try Performance("sessions.list", #"{"$all":true,"page_size":1}"#, [sessions(1...1), "500"])
        #expect(performance.reply?.status == 500)
    }

    @Test func moreThanTheLimitIsAnError() throws {
        let arguments = #"{"$all":true,"page_size":1,"$reply_limit_bytes":20}"#
        let performance = try Performance(
            "sessions.list",
            arguments,
            [sessions(1...1), sessions(2...2), sessions(3...3)]
        )
        #expect(performance.failure?.name == .limit)
        let endless = try Performance("sessions.list", #"{"$all":true,"page_size":1}"#, [sessions(1...100_001)])
        #expect(endless.failure?.name == .limit)
    }

    @Test(arguments: ["sessions.get", "engine.health", "resources.list"]) func otherOperationsHaveNoPages(name: String)
        throws
    {
        let arguments = name == "sessions.get" ? #"{"session_id":"s","$all":true}"# : #"{"$all":true}"#
        let failure = try #require(throws: Failure.self) { _ = try plan(name, arguments) }
        #expect(failure.name == .invalidArgument)
    }
}

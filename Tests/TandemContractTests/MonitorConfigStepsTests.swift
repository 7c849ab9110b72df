import Testing

@testable import TandemContract

@Suite struct MonitorConfigStepsTests {
    private let config = #"""
        {"incident_monitor":{"enabled":true,"repo":null,"default_destination_ids":["a","b"],
        "destinations":[{"destination_id":"a","name":null},{"destination_id":" b "}],
        "routes":[{"route_id":"r","destination_ids":["a"],"x":null},{"route_id":"s","destination_ids":["a","b"]},
        {"route_id":"t","destination_ids":[]}]}}
        """#

    private func saved(_ name: String, _ arguments: String) throws -> String? {
        let performance = try Performance("incident_monitor." + name, arguments, [config, #"{"incident_monitor":{}}"#])
        #expect(performance.lines.first == "incident_monitor.get_config")
        #expect(performance.requests.last?.operation == (try operation("incident_monitor." + name).number))
        return performance.requests.last?.body?["incident_monitor"]?.canonical
    }

    private func config(destinations: String, defaults: String, routes: String) throws -> String {
        try json(
            #"{"enabled":true,"repo":null,"destinations":[\#(destinations)],"default_destination_ids":[\#(defaults)],"routes":[\#(routes)]}"#
        ).canonical
    }

    private let a = #"{"destination_id":"a","name":null}"#
    private let b = #"{"destination_id":" b "}"#
    private let routes = (
        r: #"{"route_id":"r","destination_ids":["a"],"x":null}"#, s: #"{"route_id":"s","destination_ids":["a","b"]}"#,
        t: #"{"route_id":"t","destination_ids":[]}"#
    )
    private var allRoutes: String { [routes.r, routes.s, routes.t].joined(separator: ",") }

    @Test func newDestinationStandsLastAndTheRestAsItWasRead() throws {
        let new = #"{"destination_id":"c","name":null,"kind":"k"}"#
        #expect(
            try saved("upsert_destination", #"{"destination":\#(new)}"#)
                == config(
                    destinations: "\(a),\(b),\(#"{"destination_id":"c","kind":"k"}"#)",
                    defaults: #""a","b""#,
                    routes: allRoutes
                )
        )
    }

    @Test func destinationOfThatIdIsReplaced() throws {
        let new = #"{"destination_id":"b","name":"B"}"#
        #expect(
            try saved("upsert_destination", #"{"destination":\#(new)}"#)
                == config(destinations: "\(a),\(new)", defaults: #""a","b""#, routes: allRoutes)
        )
    }

    @Test func removedDestinationIsNowhereMentioned() throws {
        let left = #"{"route_id":"s","destination_ids":["b"]}"#
        #expect(
            try saved("remove_destination", #"{"destination_id":" a"}"#)
                == config(destinations: b, defaults: #""b""#, routes: "\(left),\(routes.t)")
        )
    }

    @Test func unknownDestinationChangesNothing() throws {
        #expect(
            try saved("remove_destination", #"{"destination_id":"z"}"#)
                == config(destinations: "\(a),\(b)", defaults: #""a","b""#, routes: allRoutes)
        )
    }

    @Test func routesAreReplacedAndRemovedByTheirId() throws {
        let new = #"{"route_id":"r","name":"R"}"#
        #expect(
            try saved("upsert_route", #"{"route":\#(new)}"#)
                == config(destinations: "\(a),\(b)", defaults: #""a","b""#, routes: "\(routes.s),\(routes.t),\(new)")
        )
        #expect(
            try saved("remove_route", #"{"route_id":"s"}"#)
                == config(destinations: "\(a),\(b)", defaults: #""a","b""#, routes: "\(routes.r),\(routes.t)")
        )
    }

    @Test func configurationWithoutListsGetsOne() throws {
        let performance = try Performance(
            "incident_monitor.upsert_route",
            #"{"route":{"route_id":"r"}}"#,
            [#"{"incident_monitor":{"a":1}}"#, "{}"]
        )
        #expect(performance.requests.last?.body?.text == #"{"incident_monitor":{"a":1,"routes":[{"route_id":"r"}]}}"#)
    }

    @Test(arguments: ["{}", #"{"incident_monitor":[]}"#, "[]"]) func answerWithoutAConfigurationIsAnError(
        answer: String
    )
        throws
    {
        let performance = try Performance("incident_monitor.remove_route", #"{"route_id":"r"}"#, [answer])
        #expect(performance.failure?.name == .protocol)
    }

    @Test(arguments: [
        ("remove_destination", #"{"destination_id":" "}"#), ("remove_destination", #"{"destination_id":7}"#),
        ("upsert_destination", #"{"destination":{"destination_id":""}}"#),
        ("upsert_destination", #"{"destination":{}}"#),
        ("upsert_destination", #"{"destination":"x"}"#), ("remove_route", #"{"route_id":null}"#),
        ("upsert_route", #"{"route":{"name":"n"}}"#),
    ])
    func blankIdIsRefusedBeforeSending(name: String, arguments: String) throws {
        let failure = try #require(throws: Failure.self) {
            _ = try Performance("incident_monitor." + name, arguments, [])
        }
        #expect(failure.name == .invalidArgument)
        #expect(failure.message.contains(name.hasSuffix("route") ? "route_id" : "destination_id"))
    }
}

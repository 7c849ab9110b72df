import TandemHTTP
import Testing

@Suite struct EventStreamParserTests {
    private func events(_ chunks: [[UInt8]], limit: Int = 1_000_000) throws -> [EventStreamParser.Event] {
        var parser = EventStreamParser(limit: limit)
        var events: [EventStreamParser.Event] = []
        for chunk in chunks { try parser.read(chunk, into: &events) }
        return events
    }

    private func data(_ text: String) throws -> [String] {
        try events([Array(text.utf8)]).map { String(decoding: $0.data, as: UTF8.self) }
    }

    @Test(arguments: [
        ("data: a\n\ndata: b\n\n", ["a", "b"]),
        ("data: a\r\rdata: b\r\n\r\n", ["a", "b"]),
        ("data: a\n\rdata: b\n\n", ["a", "b"]),
        ("\u{FEFF}data: a\n\n", ["a"]),
        ("\u{FEFF}\u{FEFF}data: a\n\ndata: b\n\n", ["b"]),
        (": comment\ndata: a\n: more\ndata:b\n\n", ["a\nb"]),
        ("data\n\n", [""]),
        ("data:\ndata\n\n", ["\n"]),
        ("data:  a \n\n", [" a "]),
        ("Data: a\n data: b\ndata : c\n\n", []),
        ("event: x\n\nid: 1\n\n\n\n", []),
        ("data: a\n", []),
        ("data: a", []),
        ("data: a\u{2028}b\u{85}c\n\n", ["a\u{2028}b\u{85}c"]),
        ("", []),
    ]) func streamHasTheseEvents(text: String, expected: [String]) throws {
        #expect(try data(text) == expected)
        for size in [1, 2, 3] {
            let bytes = Array(text.utf8)
            let chunks = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min($0 + size, bytes.count)])
            }
            #expect(try events(chunks).map { String(decoding: $0.data, as: UTF8.self) } == expected)
        }
    }

    @Test func nameHoldsForOneEventAndTheIDOn() throws {
        let text = "event: ping\nid: 7\ndata: a\n\ndata: b\n\nid: x\u{0}y\nevent:\ndata: c\n\nid\ndata: d\n\n"
        let events = try events([Array(text.utf8)])
        #expect(events.map(\.name) == ["ping", "message", "message", "message"])
        #expect(events.map(\.id) == ["7", "7", "7", ""])
    }

    @Test(arguments: [
        ("retry: 250", 250), ("retry: -5", nil), ("retry: 1_0", nil), ("retry: 99999999999999999999", nil),
    ])
    func retryTakesDigitsOnly(line: String, expected: Int64?) throws {
        var parser = EventStreamParser()
        var events: [EventStreamParser.Event] = []
        try parser.read(Array((line + "\n").utf8), into: &events)
        #expect(parser.retryMilliseconds == expected)
    }

    @Test(arguments: ["data: 0123456789ABCDEF\n\n", "data: 01234\ndata: 56789\ndata: ABCDE\n\n", "0123456789ABCDEFXYZ"])
    func eventBeyondItsLimitIsRefusedAfterThoseBeforeIt(text: String) throws {
        var parser = EventStreamParser(limit: 16)
        var events: [EventStreamParser.Event] = []
        #expect(throws: EventStreamParser.TooLarge.self) {
            try parser.read(Array(("data: ok\n\n" + text).utf8), into: &events)
        }
        #expect(events.count == 1)
    }

    @Test func halfAnEventIsSeenAtTheEnd() throws {
        var parser = EventStreamParser()
        var events: [EventStreamParser.Event] = []
        try parser.read(Array("data: a\n\n".utf8), into: &events)
        #expect(!parser.isInsideEvent)
        try parser.read(Array("da".utf8), into: &events)
        #expect(parser.isInsideEvent)
    }
}

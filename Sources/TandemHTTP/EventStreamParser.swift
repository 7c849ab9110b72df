/// Server-sent events out of bytes, as https://html.spec.whatwg.org/multipage/server-sent-events.html has it.
///
/// Bytes may be split anywhere; text stays bytes until it is complete, so no character is ever cut.
package struct EventStreamParser: Sendable {
    package struct Event: Equatable, Sendable {
        /// "message" when the stream names none.
        package let name: String
        package let data: [UInt8]
        /// The last event id, which holds until the stream sets another.
        package let id: String
    }

    /// An event grew beyond its limit; the stream cannot be read any further.
    package struct TooLarge: Error, Equatable, Sendable {
        package let limit: Int
    }

    /// The time to wait before reconnecting that the stream asked for last.
    package private(set) var retryMilliseconds: Int64?

    private let limit: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var name: [UInt8] = []
    private var id = ""
    private var isFirstLine = true
    private var endedWithReturn = false

    package init(limit: Int = 16 * 1024 * 1024) { self.limit = limit }

    /// True while an event has begun and its blank line has not come: at the end of a stream, half an event.
    package var isInsideEvent: Bool { hasData || !line.isEmpty }

    /// Reads on and appends the events that became complete, also those before one that is too large.
    package mutating func read(_ bytes: [UInt8], into events: inout [Event]) throws(TooLarge) {
        var start = bytes.startIndex
        var index = start
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == StreamByte.lineFeed && endedWithReturn && index == start {
                endedWithReturn = false
                start += 1
            } else if byte == StreamByte.lineFeed || byte == StreamByte.carriageReturn {
                try endLine(bytes[start..<index], into: &events)
                endedWithReturn = byte == StreamByte.carriageReturn
                start = index + 1
            } else if index == start {
                endedWithReturn = false
            }
            index += 1
        }
        try keep(bytes[start...])
    }

    private mutating func keep(_ rest: ArraySlice<UInt8>) throws(TooLarge) {
        guard line.count + data.count + rest.count <= limit else { throw TooLarge(limit: limit) }
        line += rest
    }

    private mutating func endLine(_ rest: ArraySlice<UInt8>, into events: inout [Event]) throws(TooLarge) {
        if line.isEmpty { return try take(rest, into: &events) }
        try keep(rest)
        let whole = line
        line.removeAll(keepingCapacity: true)
        try take(whole[...], into: &events)
    }

    private mutating func take(_ line: ArraySlice<UInt8>, into events: inout [Event]) throws(TooLarge) {
        var line = line
        if isFirstLine {
            isFirstLine = false
            if line.starts(with: StreamByte.byteOrderMark) { line = line.dropFirst(3) }
        }
        if line.isEmpty { return dispatch(into: &events) }
        let colon = line.firstIndex(of: StreamByte.colon) ?? line.endIndex
        var value = line[colon...].dropFirst()
        if value.first == StreamByte.space { value = value.dropFirst() }
        try take(field: line[..<colon], value)
    }

    private mutating func take(field: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(TooLarge) {
        if field.elementsEqual("data".utf8) {
            guard data.count + value.count < limit else { throw TooLarge(limit: limit) }
            if hasData { data.append(StreamByte.lineFeed) }
            data += value
            hasData = true
        } else if field.elementsEqual("event".utf8) {
            name = Array(value)
        } else if field.elementsEqual("id".utf8) {
            if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        } else if field.elementsEqual("retry".utf8) {
            guard value.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return }
            if let milliseconds = Int64(String(decoding: value, as: UTF8.self)) { retryMilliseconds = milliseconds }
        }
    }

    private mutating func dispatch(into events: inout [Event]) {
        defer {
            name.removeAll(keepingCapacity: true)
            data = []
            hasData = false
        }
        // Without a data line there is no event; one with nothing in it makes an event with empty data.
        guard hasData else { return }
        let name = name.isEmpty ? "message" : String(decoding: name, as: UTF8.self)
        events.append(Event(name: name, data: data, id: id))
    }
}

private enum StreamByte {
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let colon: UInt8 = 0x3A
    static let space: UInt8 = 0x20
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
}

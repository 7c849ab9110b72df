/// The status and headers of a response.
package struct ResponseHead: Equatable, Sendable {
    package struct Header: Equatable, Sendable {
        /// In lower case.
        package let name: String
        package let value: String

        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    package let status: Int
    package let headers: [Header]

    package init(status: Int, headers: [Header]) {
        self.status = status
        self.headers = headers
    }

    /// The first header of that name, which is given in lower case.
    package subscript(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The media type without its parameters, in lower case; empty when the server names none.
    package var mediaType: String {
        guard let type = self["content-type"] else { return "" }
        let end = type.firstIndex { $0 == ";" || $0 == " " || $0 == "\t" } ?? type.endIndex
        return type[..<end].lowercased()
    }
}

/// Collects header lines, as curl hands them over, into the head of the final response.
struct ResponseHeadParser {
    /// A head larger than this is refused; curl 7.88 limits single lines only.
    static let limit = 256 * 1024

    enum Outcome: Equatable {
        case more
        case head(ResponseHead)
        case tooLarge
    }

    private var status = 0
    private var headers: [ResponseHead.Header] = []
    private var size = 0
    private var isDone = false

    /// One line with its line end.
    mutating func read(line: [UInt8]) -> Outcome {
        // What follows the body are trailers.
        if isDone { return .more }
        size += line.count
        if size > ResponseHeadParser.limit { return .tooLarge }
        let text = trimmed(line[...])
        if text.isEmpty { return finish() }
        if text.starts(with: "HTTP/".utf8) { return start(text) }
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else { return .more }
        let name = String(decoding: trimmed(text[..<colon]), as: UTF8.self).lowercased()
        let value = String(decoding: trimmed(text[(colon + 1)...]), as: UTF8.self)
        headers.append(ResponseHead.Header(name: name, value: value))
        return .more
    }

    private mutating func start(_ text: ArraySlice<UInt8>) -> Outcome {
        let code = text.drop { $0 != UInt8(ascii: " ") }.drop { $0 == UInt8(ascii: " ") }.prefix(3)
        status = Int(String(decoding: code, as: UTF8.self)) ?? 0
        headers = []
        return .more
    }

    private mutating func finish() -> Outcome {
        // 100 and 103 announce; the response follows (RFC 9110 section 15.2).
        if (100..<200).contains(status) && status != 101 { return .more }
        isDone = true
        return .head(ResponseHead(status: status, headers: headers))
    }

    private func trimmed(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return text
    }
}

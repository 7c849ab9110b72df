package import TandemJSON

/// A resource's key as callers write it, and as engines take it (`resource_key` of contract/adapts.json).
package enum ResourceKey {
    private static let home = "project/any/"
    private static let ownKey = "swarm.active_tasks"
    private static let ownStarts = ["run/", "mission/", "project/", "team/"]

    /// The key that an engine takes for the caller's.
    static func wire(_ key: String) -> String {
        key == ownKey || isOwn(key) ? key : home + escaped(key)
    }

    /// The prefix that finds, among engines' keys, those that begin with the caller's.
    static func wirePrefix(_ prefix: String) -> String {
        let isBeginning = ([ownKey] + ownStarts).contains { $0.utf8.starts(with: prefix.utf8) }
        return isBeginning || isOwn(prefix) ? prefix : home + escaped(prefix)
    }

    private static func isOwn(_ key: String) -> Bool {
        ownStarts.contains { key.utf8.starts(with: $0.utf8) } && !isTranslated(key)
    }

    private static func isTranslated(_ key: String) -> Bool { key.utf8.starts(with: home.utf8) }

    private static func escaped(_ key: String) -> String {
        var bytes = Array(key.utf8)
        let blanksBefore = bytes.prefix { $0 == UInt8(ascii: " ") }.count
        bytes.removeFirst(blanksBefore)
        let blanksAfter = bytes.reversed().prefix { $0 == UInt8(ascii: " ") }.count
        bytes.removeLast(blanksAfter)
        let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        var result = String(repeating: "%20", count: blanksBefore)
        var isSlashKept = false
        for (index, part) in parts.enumerated() {
            if index > 0 {
                // One at the beginning, or after another, would not be there any more for the engine.
                result += isSlashKept ? "/" : "%2F"
            }
            isSlashKept = !part.isEmpty || (index == 0 && blanksBefore > 0)
            result += escapedPart(part)
        }
        return result + String(repeating: "%20", count: blanksAfter)
    }

    private static func escapedPart(_ part: ArraySlice<UInt8>) -> String {
        let dot = UInt8(ascii: ".")
        if !part.isEmpty, part.count <= 2, part.allSatisfy({ $0 == dot }) {
            return String(repeating: "%2E", count: part.count)
        }
        let percent = Array("%25".utf8)
        return String(decoding: part.flatMap { $0 == UInt8(ascii: "%") ? percent : [$0] }, as: UTF8.self)
    }

    /// The key as its caller wrote it.
    package static func restored(_ key: String) -> String {
        guard isTranslated(key) else { return key }
        let escaped = Array(key.utf8.dropFirst(home.utf8.count))
        var result: [UInt8] = []
        var rest = escaped[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = hexadecimal(rest.prefix(2)) {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        // Somebody else's key need not be ours: its escapes may be no text.
        return String(validating: result, as: UTF8.self) ?? String(decoding: escaped, as: UTF8.self)
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt8? {
        let text = String(decoding: digits, as: UTF8.self)
        guard digits.count == 2, text.allSatisfy(\.isHexDigit) else { return nil }
        return UInt8(text, radix: 16)
    }

    /// An object with `key` as its caller wrote it, or a result with such objects as its items.
    package static func restored(in value: JSONText) -> JSONText {
        guard value.kind == .object else { return value }
        var result = value
        if let key = value["key"]?.string, isTranslated(key) {
            result = result.replacing("key", with: JSONText(string: restored(key)))
        }
        for name in ["items", "resources"] {
            guard let items = value[name], items.kind == .array else { continue }
            result = result.replacing(name, with: JSONWriter.array(of: items.elements.map { restored(in: $0) }))
        }
        return result
    }

    /// An event of a resource with the key as its writer wrote it.
    package static func restored(in event: EngineEvent) -> EngineEvent {
        let isOfAResource = [EngineEventName.resourceUpdated, EngineEventName.resourceDeleted].contains(event.type)
        guard isOfAResource, let key = event.properties["key"]?.string, isTranslated(key) else { return event }
        return event.replacing(properties: restored(in: event.properties))
    }
}

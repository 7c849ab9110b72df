package import TandemJSON

// Objects with one member changed: results, bodies and configurations are spliced, not rebuilt.
extension JSONText {
    /// The object with one member more, at its end; a member that is there already stays as it is.
    package func adding(_ name: String, _ value: JSONText) -> JSONText {
        guard kind == .object, self[name] == nil else { return self }
        // Spliced in before the closing brace: results are added to again and again.
        var writer = JSONWriter(reservingCapacity: bytes.count + name.utf8.count + value.bytes.count + 8)
        writer.member(name, value)
        let isEmpty = !bytes.contains(UInt8(ascii: ":"))
        return JSONText(
            trusted: bytes.dropLast() + (isEmpty ? [] : [UInt8(ascii: ",")]) + writer.bytes + [UInt8(ascii: "}")]
        )
    }

    /// The object with another value for one of its members.
    package func replacing(_ name: String, with value: JSONText) -> JSONText {
        JSONWriter.object { writer in
            for member in members { writer.member(member.key, member.key == name ? value : member.value) }
        }
    }

    /// The object with that value for the member, whether it had one or not.
    func setting(_ name: String, _ value: JSONText) -> JSONText {
        self[name] == nil ? adding(name, value) : replacing(name, with: value)
    }

    /// The object without one of its members.
    func removing(_ name: String) -> JSONText {
        guard self[name] != nil else { return self }
        return JSONWriter.object { writer in
            for member in members where member.key != name { writer.member(member.key, member.value) }
        }
    }

    static func integer(_ value: Int) -> JSONText { JSONText(trusted: Array(String(value).utf8)) }
}

extension JSONWriter {
    static func array(of elements: [JSONText]) -> JSONText {
        array { writer in for element in elements { writer.value(element) } }
    }
}

extension String {
    /// Without blanks and line ends at either end.
    var trimmed: String {
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        guard let first = utf8.firstIndex(where: { !isBlank($0) }), let last = utf8.lastIndex(where: { !isBlank($0) })
        else { return "" }
        return String(self[first...last])
    }
}

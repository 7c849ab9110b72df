// What the checks share.
extension Checks {
    static func isName(_ text: Substring) -> Bool {
        text.first.map { $0.isLowercase } == true
            && text.utf8.allSatisfy {
                $0 == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
            }
    }

    mutating func checkForm(_ value: Value, _ schema: Schema, _ file: String, _ place: String) {
        guard case .object(let members) = value else { return report(file, "\(place): no object") }
        for member in members {
            guard let kind = schema.kind(of: member.key) else {
                report(file, "\(place): unknown key \(member.key)")
                continue
            }
            if !Checks.fits(member.value, kind) { report(file, "\(place): \(member.key) is of the wrong kind") }
        }
        for key in schema.required where value[key] == nil { report(file, "\(place): no \(key)") }
    }

    private static func fits(_ value: Value, _ kind: Schema.Kind) -> Bool {
        switch (kind, value) {
        case (.any, _), (.flag, .boolean), (.object, .object), (.textOrNull, .null): true
        case (.text, .string(let text)), (.textOrNull, .string(let text)): !text.isEmpty
        case (.integer, .number): value.integer != nil
        case (.texts, .array(let elements)): elements.allSatisfy { $0.string != nil }
        case (.objects, .array(let elements)):
            elements.allSatisfy { if case .object = $0 { true } else { false } }
        default: false
        }
    }

    mutating func checkOneOf(_ value: Value?, _ allowed: [String], _ file: String, _ place: String) {
        if let text = value?.string, !allowed.contains(text) {
            report(file, "\(place): \(text) is none of \(allowed.joined(separator: ", "))")
        }
    }

    /// Members that stand twice in an object, at any depth.
    mutating func checkDoubles(_ value: Value, _ file: String, _ place: String) {
        var seen: Set<String> = []
        for member in value.members {
            if !seen.insert(member.key).inserted { report(file, "\(place): \(member.key) stands there twice") }
            checkDoubles(member.value, file, member.key)
        }
        for element in value.elements { checkDoubles(element, file, place) }
    }

    mutating func checkType(_ type: String?, _ file: String, _ place: String) {
        guard var name = type?[...] else { return }
        while name.hasSuffix(">"), let start = name.firstIndex(of: "<"), ["array", "map"].contains(name[..<start]) {
            name = name[name.index(after: start)...].dropLast()
        }
        let basic = ["string", "integer", "number", "boolean", "object", "any", "null"]
        if !basic.contains(String(name)), !types.contains(String(name)) { report(file, "\(place): no type \(name)") }
    }
}

internal import CJansson
internal import Glibc

/// A JSON value that can be changed: for configuration, schemas, and bodies that we make of others.
///
/// Members and elements that are read are the tree's own parts, so that a change of them is one of the tree; values that are
/// put in are copied. Members keep the order in which they came.
@safe package final class JSONTree {
    private let node: UnsafeMutablePointer<json_t>

    /// Takes over one reference; without memory there is null, which jansson never allocates.
    private init(owning node: UnsafeMutablePointer<json_t>?) {
        unsafe self.node = unsafe node ?? json_null()
    }

    deinit { unsafe json_decref(node) }

    /// Refuses what is deeper than 64 levels, an integer beyond Int64, a number beyond Double, and U+0000 in a member's name.
    package convenience init(_ json: JSONText) throws(JSONError) {
        let bytes = json.bytes
        try JSONTree.checkDepth(bytes)
        var error = json_error_t()
        // Without the flag jansson refuses U+0000 in strings, which is good JSON.
        let flags = Int(JSON_DECODE_ANY | JSON_ALLOW_NUL)
        let node = unsafe JSONTree.underCLocale {
            unsafe bytes.withUnsafeBytes {
                unsafe json_loadb($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, flags, &error)
            }
        }
        guard let node = unsafe node else {
            // What has passed our own checker can only be too large for a tree.
            throw JSONError("larger than a tree takes", at: max(0, Int(error.position) - 1), isLimit: true)
        }
        unsafe self.init(owning: node)
    }

    package convenience init(checking bytes: [UInt8]) throws(JSONError) { try self.init(JSONText(checking: bytes)) }

    package convenience init(checking text: String) throws(JSONError) { try self.init(JSONText(checking: text)) }

    package convenience init(_ string: String) {
        var string = string
        unsafe self.init(owning: string.withUTF8 { unsafe JSONTree.makeString($0) })
    }

    package convenience init(_ integer: Int64) { unsafe self.init(owning: json_integer(integer)) }

    package convenience init(_ number: Double) { unsafe self.init(owning: json_real(number)) }

    package convenience init(_ boolean: Bool) { unsafe self.init(owning: boolean ? json_true() : json_false()) }

    package static func null() -> JSONTree { unsafe JSONTree(owning: json_null()) }

    package static func object() -> JSONTree { unsafe JSONTree(owning: json_object()) }

    package static func array() -> JSONTree { unsafe JSONTree(owning: json_array()) }

    package func copy() -> JSONTree { unsafe JSONTree(owning: json_deep_copy(node)) }

    package var kind: JSONText.Kind {
        switch unsafe node.pointee.type {
        case JSON_OBJECT: .object
        case JSON_ARRAY: .array
        case JSON_STRING: .string
        case JSON_INTEGER, JSON_REAL: .number
        case JSON_TRUE, JSON_FALSE: .boolean
        default: .null
        }
    }

    package var boolean: Bool? { kind == .boolean ? unsafe node.pointee.type == JSON_TRUE : nil }

    /// The number where it is an integer that Int64 holds.
    package var integer: Int64? {
        guard kind == .number else { return nil }
        guard unsafe node.pointee.type == JSON_REAL else { return unsafe json_integer_value(node) }
        return unsafe Int64(exactly: json_real_value(node))
    }

    package var number: Double? { kind == .number ? unsafe json_number_value(node) : nil }

    package var string: String? {
        guard kind == .string, let characters = unsafe json_string_value(node) else { return nil }
        return unsafe JSONTree.text(characters, json_string_length(node))
    }

    /// The member itself, not a copy.
    package subscript(_ key: String) -> JSONTree? {
        var key = key
        let found = key.withUTF8 { name in
            unsafe JSONTree.characters(name) { unsafe json_object_getn(node, $0, $1) }
        }
        return unsafe found.map { unsafe JSONTree(owning: json_incref($0)) }
    }

    /// The members in the order in which they came; empty unless the value is an object.
    package var members: [(key: String, value: JSONTree)] {
        var members: [(key: String, value: JSONTree)] = []
        var iterator = unsafe json_object_iter(node)
        while let position = unsafe iterator {
            if let key = unsafe json_object_iter_key(position), let value = unsafe json_object_iter_value(position) {
                let name = unsafe JSONTree.text(key, json_object_iter_key_len(position))
                members.append((name, unsafe JSONTree(owning: json_incref(value))))
            }
            unsafe iterator = unsafe json_object_iter_next(node, position)
        }
        return members
    }

    /// The elements; empty unless the value is an array.
    package var elements: [JSONTree] {
        (0..<(unsafe json_array_size(node))).compactMap { index in
            unsafe json_array_get(node, index).map { unsafe JSONTree(owning: json_incref($0)) }
        }
    }
}

// Changes. On a value of another kind they do nothing.
extension JSONTree {
    /// Puts a copy of `value` in the member's place, or behind all members.
    package func set(_ key: String, _ value: JSONTree) {
        var key = key
        key.withUTF8 { name in
            unsafe JSONTree.characters(name) { start, count in
                _ = unsafe json_object_setn_new(node, start, count, json_deep_copy(value.node))
            }
        }
    }

    package func set(_ key: String, _ value: String) { set(key, JSONTree(value)) }

    package func set(_ key: String, _ value: Int64) { set(key, JSONTree(value)) }

    package func set(_ key: String, _ value: Bool) { set(key, JSONTree(value)) }

    package func remove(_ key: String) {
        var key = key
        key.withUTF8 { name in
            unsafe JSONTree.characters(name) { _ = unsafe json_object_deln(node, $0, $1) }
        }
    }

    /// Adds a copy of `value` behind all elements.
    package func append(_ value: JSONTree) { unsafe json_array_append_new(node, json_deep_copy(value.node)) }

    /// Takes over the members of `other`: objects are merged in their turn, everything else is replaced.
    package func merge(_ other: JSONTree, ignoringNulls: Bool = false) {
        guard kind == .object else { return }
        for (key, value) in other.members where value.kind != .null || !ignoringNulls {
            if value.kind == .object, let own = self[key], own.kind == .object {
                own.merge(value, ignoringNulls: ignoringNulls)
            } else {
                set(key, value)
            }
        }
    }
}

// Writing. jansson's own writer makes 0.10000000000000001 of 0.1.
extension JSONTree {
    package var text: JSONText {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.finish()
    }

    package func write(to writer: inout JSONWriter) {
        switch kind {
        case .object:
            writer.object { writer in
                for (key, value) in members {
                    writer.key(key)
                    value.write(to: &writer)
                }
            }
        case .array:
            writer.array { writer in
                for element in elements { element.write(to: &writer) }
            }
        case .string: writer.string(string ?? "")
        case .number:
            if unsafe node.pointee.type == JSON_REAL {
                unsafe writer.number(json_real_value(node))
            } else {
                unsafe writer.integer(json_integer_value(node))
            }
        case .boolean: writer.boolean(boolean == true)
        case .null: writer.null()
        }
    }
}

extension JSONTree {
    /// jansson 2.14 reads the decimal point of the locale, and aborts when another thread calls setlocale meanwhile.
    ///
    /// Of what is called here only its parser does so.
    private static func underCLocale<Result>(_ body: () -> Result) -> Result {
        // newlocale(3): for "C" glibc gives a constant object, so nothing is allocated and nothing need be freed.
        let all: Int32 = 0x1FBF
        let previous = unsafe uselocale(newlocale(all, "C", nil))
        defer { unsafe uselocale(previous) }
        return body()
    }

    private static func checkDepth(_ bytes: ArraySlice<UInt8>) throws(JSONError) {
        var depth = 0
        var isString = false
        var isEscaped = false
        for (offset, byte) in bytes.enumerated() {
            if isString {
                if !isEscaped, byte == UInt8(ascii: "\"") { isString = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                guard depth <= JSONLimit.treeDepth else {
                    throw JSONError("deeper than \(JSONLimit.treeDepth) levels", at: offset, isLimit: true)
                }
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
        }
    }

    private static func makeString(_ bytes: UnsafeBufferPointer<UInt8>) -> UnsafeMutablePointer<json_t>? {
        unsafe characters(bytes) { unsafe json_stringn($0, $1) }
    }

    /// The same bytes as C's characters; an empty text has a place too, for NULL is an error to jansson.
    private static func characters<Result>(
        _ bytes: UnsafeBufferPointer<UInt8>,
        _ body: (UnsafePointer<CChar>, Int) -> Result
    ) -> Result {
        guard let start = bytes.baseAddress, !bytes.isEmpty else { return unsafe body("", 0) }
        return unsafe start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { unsafe body($0, bytes.count) }
    }

    private static func text(_ characters: UnsafePointer<CChar>, _ count: Int) -> String {
        unsafe String(decoding: UnsafeRawBufferPointer(start: characters, count: count), as: UTF8.self)
    }
}

/// Why a text is not acceptable JSON, and at which byte.
package struct JSONError: Error, Equatable, Sendable {
    package let message: String
    /// Counted in bytes from the start of the text.
    package let offset: Int
    /// The text may be good JSON but is larger or deeper than what is taken.
    package let isLimit: Bool

    package init(_ message: String, at offset: Int, isLimit: Bool = false) {
        self.message = message
        self.offset = offset
        self.isLimit = isLimit
    }
}

/// How much JSON is taken (tandem.h, LIMITS).
package enum JSONLimit {
    package static let bytes = 64 * 1024 * 1024
    package static let depth = 128
    package static let treeDepth = 64
}

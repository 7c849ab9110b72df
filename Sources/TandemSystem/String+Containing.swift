extension String {
    /// Whether the other text is a part of this one, byte for byte.
    ///
    /// The standard library's own form comes with its regular expressions, 1 MB that the library does without.
    package func contains(text other: String) -> Bool {
        var rest = utf8[...]
        while rest.count >= other.utf8.count {
            if rest.starts(with: other.utf8) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}

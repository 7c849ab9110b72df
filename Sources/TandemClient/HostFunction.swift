/// A function of the host's with its context, as bit patterns: only the C side calls it.
package struct HostFunction: Sendable, Equatable {
    package let function: UInt
    package let context: UInt
    /// What releases the context; 0 for nothing.
    package let drop: UInt

    package init(function: UInt, context: UInt, drop: UInt) {
        self.function = function
        self.context = context
        self.drop = drop
    }
}

/// A host function that is in force, and how many of its calls run now.
struct Registration: Sendable {
    let host: HostFunction
    /// Tells it from one that was put in force before with the same function and context.
    let number: Int
    var running = 0
}

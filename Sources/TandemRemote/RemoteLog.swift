package import TandemJSON

/// Where records of the log go; what is not wanted is not made.
package struct RemoteLog: Sendable {
    package typealias Write = @Sendable (_ level: Int32, _ message: String, _ fields: JSONText) -> Void

    /// Levels as in tandem.h: 1 error, 2 warning, 3 information, 4 detail.
    let isOn: @Sendable (Int32) -> Bool
    let write: Write

    package init(isOn: @escaping @Sendable (Int32) -> Bool, write: @escaping Write) {
        self.isOn = isOn
        self.write = write
    }
}

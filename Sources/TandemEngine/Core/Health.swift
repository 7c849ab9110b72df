internal import TandemContract
internal import TandemJSON

/// Whether the engine is there.
enum Health {
    static let handlers: [Handler] = [.read(.engineHealth, health)]

    /// An open engine is a ready one.
    @Sendable private static func health(_: Reading, _: Request) throws(Halt) -> Reply {
        .json(
            JSONWriter.object { writer in
                writer.member("healthy", true)
                writer.member("ready", true)
            }
        )
    }
}

internal import TandemContract
internal import TandemJSON
internal import TandemSystem

/// What all parts of an open engine share.
final class EngineContext: Sendable {
    let clock: any Clock
    let random: Random
    /// The directory of sessions that name none.
    let workspace: String?
    let workingDirectory: String
    let host: any Host
    let providers: Lock<ProviderTable>
    private let logger: EngineConfiguration.Log?

    init(_ configuration: EngineConfiguration) throws(Failure) {
        clock = configuration.clock
        random = configuration.random
        workingDirectory = Path.workingDirectory
        host = configuration.host
        logger = configuration.log
        providers = Lock(try ProviderTable(configuration))
        guard let given = configuration.workspace else {
            workspace = nil
            return
        }
        let path = Path.normalized(given, in: workingDirectory)
        guard !given.isEmpty, !given.utf8.contains(0), Path.isReadableDirectory(path) else {
            throw Failure(.invalidArgument, "workspace: \(given) is not a directory that can be read")
        }
        workspace = path
    }

    /// Levels as in tandem.h: 1 error, 2 warning, 3 information, 4 detail.
    func log(_ level: Int32, _ message: String, _ fields: (inout JSONWriter) -> Void = { _ in }) {
        guard let logger else { return }
        logger(level, message, JSONWriter.object(fields))
    }

    /// What a session says of the machine.
    static let environment = JSONWriter.object { writer in
        writer.member("os", "linux")
        #if arch(arm64)
        writer.member("arch", "aarch64")
        #else
        writer.member("arch", "x86_64")
        #endif
        writer.member("shell_family", "posix")
        writer.member("path_style", "posix")
    }

    /// The one owner of everything here.
    static let tenant = JSONWriter.object { writer in
        writer.member("org_id", "local")
        writer.member("workspace_id", "local")
        writer.member("source", "local_implicit")
    }
}

internal import Glibc
internal import TandemContract
internal import TandemRemote

/// Where an engine may be found (`"engine":"discover"`).
enum Discovery {
    private static let usualAddress = "http://127.0.0.1:39731"
    private static let tokenFile = "/.local/share/tandem/security/engine_api_token"
    private static let longestToken = 4_096

    /// The addresses to ask, in order.
    static func candidates(_ options: RemoteOptions, readsEnvironment: Bool) throws(Failure) -> [RemoteConfiguration] {
        var candidates: [RemoteConfiguration] = []
        if readsEnvironment, let url = Configuration.variable("TANDEM_BASE_URL") {
            var named = options
            named.token = options.token ?? Configuration.variable("TANDEM_API_TOKEN")
            candidates.append(named.configuration(try RemoteAddress(url)))
        }
        var usual = options
        usual.token =
            options.token ?? (readsEnvironment ? Configuration.variable("TANDEM_API_TOKEN") : nil) ?? storedToken()
        candidates.append(usual.configuration(try RemoteAddress(usualAddress)))
        return candidates
    }

    /// The token that an engine of this user keeps in its default place.
    private static func storedToken() -> String? {
        var record = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard unsafe getpwuid_r(getuid(), &record, &buffer, buffer.count, &found) == 0, unsafe found != nil,
            let home = unsafe record.pw_dir, let folder = unsafe String(validatingCString: home)
        else { return nil }
        let fd = unsafe open(folder + tokenFile, O_RDONLY | O_CLOEXEC)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: longestToken)
        let count = unsafe read(fd, &bytes, bytes.count)
        let text = String(decoding: bytes.prefix(max(count, 0)), as: UTF8.self)
        let token = text.split(whereSeparator: \.isWhitespace).first.map(String.init)
        return token
    }
}

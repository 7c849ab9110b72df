internal import Glibc
internal import TandemClient
internal import TandemContract
internal import TandemEngine
internal import TandemHTTP
internal import TandemJSON
internal import TandemRemote
internal import TandemSystem

/// The options of tandem_open, checked: an unknown one is an error that lists the known ones.
struct Configuration {
    /// Where the engine is.
    enum Place {
        case embedded
        case remote(RemoteConfiguration)
        /// The first of these that answers, else the embedded engine.
        case discovered([RemoteConfiguration])
    }

    /// Who hands events out.
    enum Delivery {
        case pump
        /// Who pumps, waits or polls does what short calls want of the network, too.
        case attend
        case thread
    }

    var place = Place.embedded
    var engine = EngineConfiguration()
    var client = ClientOptions()
    var delivery = Delivery.pump
    /// The client's own: in a deterministic client the engine's are read by the engine's thread alone.
    private(set) var clock: any Clock = SystemClock()
    private(set) var random = Random()
    private var engineName: String?
    private var url: String?
    private var readsEnvironment = false
    private var remote = RemoteOptions()

    init(_ json: JSONText) throws(Failure) {
        for (name, value) in json.members {
            guard Configuration.names.contains(name) else { throw Configuration.unknown(name) }
            if value.isNull {
                // The one option whose null says something.
                if name == "act_as" { client.calls.actsAs = nil }
            } else {
                try read(name, value)
            }
        }
        try chooseEngine()
        if readsEnvironment { engine.environment = Configuration.environment() }
    }

    private mutating func read(_ name: String, _ value: JSONText) throws(Failure) {
        switch name {
        case "engine": engineName = try text(name, value)
        case "url": url = try text(name, value)
        case "state":
            let path = try text(name, value)
            engine.state = path == ":memory:" ? .memory : .directory(path)
        case "workspace": engine.workspace = try text(name, value)
        case "durability": engine.durability = try choice(name, value, ["process": .process, "power": .power])
        case "deterministic": try makeDeterministic(CallOptions.integer(name, value, from: 0))
        case "environment": readsEnvironment = try CallOptions.boolean(name, value)
        case "discover": engine.discover = try CallOptions.boolean(name, value)
        case "providers": engine.providers = try object(name, value)
        case "default_provider": engine.defaultProvider = try text(name, value)
        case "default_model": engine.defaultModel = try text(name, value)
        case "connect_timeout_ms":
            engine.connectTimeoutMilliseconds = try CallOptions.integer(name, value, from: 1)
            remote.connectTimeoutMilliseconds = engine.connectTimeoutMilliseconds
        case "idle_timeout_ms":
            engine.idleTimeoutMilliseconds = try CallOptions.integer(name, value, from: 1)
            remote.idleTimeoutMilliseconds = engine.idleTimeoutMilliseconds
        default: try readClient(name, value)
        }
    }

    private mutating func readClient(_ name: String, _ value: JSONText) throws(Failure) {
        switch name {
        case "timeout_ms": client.timeoutMilliseconds = try CallOptions.integer(name, value, from: -1)
        case "act_as": client.calls.actsAs = try text(name, value)
        case "strict", "reply_limit_bytes", "retries", "on_conflict", "vocabulary", "fold", "coalesce_ms":
            try client.calls.set(name, value)
        case "op_queue_bytes": client.queueBytes = Int(try CallOptions.integer(name, value, from: 1))
        case "ops_limit": client.operationsLimit = Int(try CallOptions.integer(name, value, from: 1))
        case "results_limit_bytes": client.resultsLimitBytes = Int(try CallOptions.integer(name, value, from: 1))
        case "delivery": delivery = try choice(name, value, ["pump": .pump, "attend": .attend, "thread": .thread])
        case "log_level": client.logLevel = try choice(name, value, Configuration.logLevels)
        default: try readRemote(name, value)
        }
    }

    /// Options of remote engines, whose kind is checked for every engine.
    private mutating func readRemote(_ name: String, _ value: JSONText) throws(Failure) {
        switch name {
        case "token": remote.token = try text(name, value)
        case "proxy":
            let proxy = try text(name, value)
            remote.route.proxy = proxy == "environment" ? .environment : .url(proxy)
        case "ca_file": remote.route.caFile = try text(name, value)
        case "client_certificate": remote.route.clientCertificate = try text(name, value)
        case "client_key": remote.route.clientKey = try text(name, value)
        case "headers": remote.headers = try CallOptions.fields(name, value)
        case "event_limit_bytes": remote.eventLimitBytes = Int(try CallOptions.integer(name, value, from: 1))
        case "transfers_limit": remote.transfersLimit = Int(try CallOptions.integer(name, value, from: 1))
        case "subscription":
            remote.subscribesPerStream = try choice(name, value, ["client": false, "session": true])
        case "cassette": _ = try text(name, value)
        default: throw Configuration.unknown(name)
        }
    }

    /// All options; each is read by one of the functions above.
    private static let names: Set<String> = [
        "act_as", "ca_file", "cassette", "client_certificate", "client_key", "coalesce_ms", "connect_timeout_ms",
        "default_model", "default_provider", "delivery", "deterministic", "discover", "durability", "engine",
        "environment", "event_limit_bytes", "fold", "headers", "idle_timeout_ms", "log_level", "on_conflict",
        "op_queue_bytes", "ops_limit", "providers", "proxy", "reply_limit_bytes", "results_limit_bytes", "retries",
        "state", "strict", "subscription", "timeout_ms", "token", "transfers_limit", "url", "vocabulary", "workspace",
    ]

    private static let logLevels: KeyValuePairs<String, Int32> = [
        "none": 0, "error": 1, "warning": 2, "info": 3, "debug": 4,
    ]

    private mutating func chooseEngine() throws(Failure) {
        let named = url.map { $0.hasPrefix("embedded:") ? "embedded" : "remote" }
        let name = engineName ?? named ?? "embedded"
        guard ["embedded", "remote", "discover", "replay"].contains(name) else {
            throw Failure(.invalidArgument, "engine is none of embedded, remote, discover, replay")
        }
        if let named, named != name {
            throw Failure(.invalidArgument, "engine is \(name), but url names the \(named) engine")
        }
        switch name {
        case "remote":
            guard let url else { throw Failure(.invalidArgument, "a remote engine needs its url") }
            place = .remote(remote.configuration(try RemoteAddress(url)))
        case "discover": place = .discovered(try Discovery.candidates(remote, readsEnvironment: readsEnvironment))
        case "replay": throw Failure(.notSupported, "the engine replay is not supported by this version yet")
        default:
            let folder = url?.dropFirst("embedded:".count) ?? ""
            if !folder.isEmpty { engine.state = .directory(String(folder)) }
        }
    }

    private mutating func makeDeterministic(_ seed: Int64) {
        // 2026-01-01: any fixed day will do.
        let start: Int64 = 1_767_225_600_000
        engine.random = Random(seed: UInt64(seed))
        engine.clock = CountingClock(startingAt: start)
        random = Random(seed: ~UInt64(seed))
        clock = CountingClock(startingAt: start)
    }

    private static func environment() -> EngineConfiguration.Environment {
        .init(openAIKey: variable("OPENAI_API_KEY"), openAIBaseURL: variable("OPENAI_BASE_URL"))
    }

    /// A variable of the environment; read only where the configuration allows it.
    static func variable(_ name: String) -> String? {
        guard let text = unsafe getenv(name), let value = unsafe String(validatingCString: text) else { return nil }
        return value.isEmpty ? nil : value
    }

    private func text(_ name: String, _ value: JSONText) throws(Failure) -> String {
        guard let text = value.string, !text.isEmpty else {
            throw Failure(.invalidArgument, "\(name) is no text, or an empty one")
        }
        if text.utf8.contains(0) { throw Failure(.invalidArgument, "\(name) has a NUL character in it") }
        return text
    }

    private func object(_ name: String, _ value: JSONText) throws(Failure) -> JSONText {
        guard value.kind == .object else { throw Failure(.invalidArgument, "\(name) is no object") }
        return value
    }

    private func choice<Value>(
        _ name: String,
        _ value: JSONText,
        _ choices: KeyValuePairs<String, Value>
    ) throws(Failure) -> Value {
        let text = value.string
        guard let chosen = choices.first(where: { $0.key == text })?.value else {
            let known = choices.map(\.key).joined(separator: ", ")
            throw Failure(.invalidArgument, "\(name) is none of \(known)")
        }
        return chosen
    }

    private static func unknown(_ name: String) -> Failure {
        let known = names.sorted()
        return Failure(
            .unknownArgument,
            "tandem_open has no option \(name); it has: \(known.joined(separator: ", "))",
            detail: JSONWriter.object { writer in
                writer.member("argument", name)
                writer.member("known", array: { writer in for name in known { writer.string(name) } })
            }
        )
    }
}

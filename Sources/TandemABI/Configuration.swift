internal import Glibc
internal import TandemClient
internal import TandemContract
internal import TandemEngine
internal import TandemHTTP
internal import TandemJSON
internal import TandemRemote
internal import TandemSystem

/// The options of tandem_open (kernel.md K21), checked: an unknown one is an error that names it.
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
        case "timeout_ms": client.calls.timeoutMilliseconds = try CallOptions.integer(name, value, from: -1)
        case "strict": client.calls.isStrict = try CallOptions.boolean(name, value)
        case "reply_limit_bytes": client.calls.replyLimitBytes = try CallOptions.integer(name, value, from: 1)
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
        case "act_as": client.calls.actsAs = try text(name, value)
        case "retries": client.calls.retries = try CallOptions.integer(name, value, from: 0)
        case "event_limit_bytes": remote.eventLimitBytes = Int(try CallOptions.integer(name, value, from: 1))
        case "transfers_limit": remote.transfersLimit = Int(try CallOptions.integer(name, value, from: 1))
        case "subscription":
            remote.subscribesPerStream = try choice(name, value, ["client": false, "session": true])
        case "on_conflict", "vocabulary", "fold", "coalesce_ms": try readEventForm(name, value)
        case "cassette": _ = try text(name, value)
        default: throw Configuration.unknown(name)
        }
    }

    /// Options that a call may give too, by the call's own rules.
    private mutating func readEventForm(_ name: String, _ value: JSONText) throws(Failure) {
        var options = CallOptions()
        try options.set(name, value)
        switch name {
        case "on_conflict": client.calls.onConflict = options.onConflict
        case "vocabulary": client.calls.vocabulary = options.vocabulary
        case "fold": client.calls.folds = options.folds
        default: client.calls.coalesceMilliseconds = options.coalesceMilliseconds
        }
    }

    static let logLevels: [String: Int32] = ["none": 0, "error": 1, "warning": 2, "info": 3, "debug": 4]

    private mutating func chooseEngine() throws(Failure) {
        var name = engineName ?? "embedded"
        if let url {
            if url == "embedded:" {
                name = "embedded"
            } else if url.hasPrefix("embedded:") {
                name = "embedded"
                engine.state = .directory(String(url.dropFirst("embedded:".count)))
            } else {
                name = "remote"
            }
        }
        switch name {
        case "embedded": return
        case "remote":
            guard let url else { throw Failure(.invalidArgument, "a remote engine needs its url") }
            place = .remote(remote.configuration(try RemoteAddress(url)))
        case "discover": place = .discovered(try Discovery.candidates(remote, readsEnvironment: readsEnvironment))
        case "replay": throw Failure(.notSupported, "the engine replay is not supported by this version yet")
        default: throw Failure(.invalidArgument, "engine is none of embedded, remote, discover, replay")
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
        guard let text = value.string, !text.isEmpty, !text.utf8.contains(0) else {
            throw Failure(.invalidArgument, "\(name) is no text, or an empty one")
        }
        return text
    }

    private func object(_ name: String, _ value: JSONText) throws(Failure) -> JSONText {
        guard value.kind == .object else { throw Failure(.invalidArgument, "\(name) is no object") }
        return value
    }

    private func choice<Value>(_ name: String, _ value: JSONText, _ choices: [String: Value]) throws(Failure) -> Value {
        guard let text = value.string, let chosen = choices[text] else {
            throw Failure(.invalidArgument, "\(name) is none of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return chosen
    }

    private static func unknown(_ name: String) -> Failure {
        Failure(
            .unknownArgument,
            "tandem_open has no option \(name)",
            detail: JSONWriter.object { $0.member("argument", name) }
        )
    }
}

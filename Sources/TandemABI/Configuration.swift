internal import Glibc
internal import TandemClient
internal import TandemContract
internal import TandemEngine
internal import TandemJSON
internal import TandemSystem

/// The options of tandem_open (kernel.md K21), checked: an unknown one is an error that names it.
struct Configuration {
    var engine = EngineConfiguration()
    var client = ClientOptions()
    var pumpsItself = false
    /// The client's own: in a deterministic client the engine's are read by the engine's thread alone.
    private(set) var clock: any Clock = SystemClock()
    private(set) var random = Random()
    private var engineName: String?
    private var url: String?
    private var readsEnvironment = false

    init(_ json: JSONText) throws(Failure) {
        for (name, value) in json.members where !value.isNull { try read(name, value) }
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
        case "connect_timeout_ms": engine.connectTimeoutMilliseconds = try CallOptions.integer(name, value, from: 1)
        case "idle_timeout_ms": engine.idleTimeoutMilliseconds = try CallOptions.integer(name, value, from: 1)
        default: try readClient(name, value)
        }
    }

    private mutating func readClient(_ name: String, _ value: JSONText) throws(Failure) {
        switch name {
        case "timeout_ms": client.calls.timeoutMilliseconds = try CallOptions.integer(name, value, from: -1)
        case "strict": client.calls.isStrict = try CallOptions.boolean(name, value)
        case "reply_limit_bytes": client.calls.replyLimitBytes = try CallOptions.integer(name, value, from: 1)
        case "vocabulary":
            client.calls.usesEngineVocabulary = try choice(name, value, ["normalized": false, "engine": true])
        case "op_queue_bytes": client.queueBytes = Int(try CallOptions.integer(name, value, from: 1))
        case "ops_limit": client.operationsLimit = Int(try CallOptions.integer(name, value, from: 1))
        case "results_limit_bytes": client.resultsLimitBytes = Int(try CallOptions.integer(name, value, from: 1))
        case "delivery": pumpsItself = try choice(name, value, ["pump": false, "thread": true])
        case "log_level": client.logLevel = try choice(name, value, Configuration.logLevels)
        default: try readRemote(name, value)
        }
    }

    /// Options of remote engines and of what comes later: their kind is checked, and what would change the behaviour of
    /// an embedded engine is refused rather than passed over.
    private func readRemote(_ name: String, _ value: JSONText) throws(Failure) {
        switch name {
        case "token", "cassette", "proxy", "ca_file", "client_certificate", "client_key", "act_as":
            _ = try text(name, value)
        case "headers": _ = try object(name, value)
        case "retries", "event_limit_bytes": _ = try CallOptions.integer(name, value, from: 0)
        case "on_conflict", "fold", "coalesce_ms":
            var options = CallOptions()
            try options.set(name, value)
        case "subscription": _ = try choice(name, value, ["client": 0, "session": 1])
        default: throw Configuration.unknown(name)
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
        case "remote", "discover", "replay":
            throw Failure(.notSupported, "the engine \(name) is not supported by this version yet; embedded is")
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
        func value(_ name: String) -> String? {
            guard let text = unsafe getenv(name), let value = unsafe String(validatingCString: text) else { return nil }
            return value.isEmpty ? nil : value
        }
        return .init(openAIKey: value("OPENAI_API_KEY"), openAIBaseURL: value("OPENAI_BASE_URL"))
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

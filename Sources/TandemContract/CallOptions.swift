package import TandemJSON

/// What a caller asks of the library, not of the engine, for one call.
package struct CallOptions: Sendable {
    /// The form of events; both: the engine's, each with the text or the run's end that it means behind it.
    package enum Vocabulary: String, Sendable { case normalized, engine, both }

    /// nil: the default of the operation; negative: none.
    package var timeoutMilliseconds: Int64?
    package var tag: JSONText?
    /// A stream ends after so many events.
    package var take: Int64?
    /// Whether anybody sees the events of a call that has a result, or counts them.
    package var showsEvents = true
    package var reconnects = true
    package var vocabulary = Vocabulary.normalized
    /// Each event carries the state of its run so far.
    package var folds = false
    /// Text deltas that come within so long are one event; 0: each is its own.
    package var coalesceMilliseconds: Int64 = 0
    package var isStrict = false
    package var replyLimitBytes = Int64(JSONLimit.bytes)
    /// How often a request that may be sent again is, at most.
    package var retries: Int64 = 2
    package var onConflict = ConflictPolicy.fail
    /// Sent with the request, before the operation's own.
    package var headers: [Request.Field] = []
    /// On whose behalf requests that change something are made; nil: the engine is told nothing.
    package var actsAs: String? = CallOptions.owner
    /// All pages of a list in one result.
    package var wantsAll = false

    /// The engine's own owner, who may do what agents may not.
    static let owner = "control_panel"

    /// What to do with a prompt while another run is active in its session.
    package enum ConflictPolicy: String, Sendable { case fail, wait, attach, cancelActive = "cancel_active" }

    package init() {}

    /// Reserved arguments, all of which begin with `$`.
    static let names: Set<String> = [
        "$body", "$timeout_ms", "$tag", "$take", "$reconnect", "$retries", "$on_conflict",
        "$reply_limit_bytes", "$headers", "$act_as", "$vocabulary", "$coalesce_ms", "$fold", "$strict",
        "$all",
    ]

    /// Takes the option of that name (without `$`) in.
    package mutating func set(_ name: String, _ value: JSONText) throws(Failure) {
        switch name {
        case "timeout_ms": timeoutMilliseconds = try CallOptions.integer(name, value, from: -1)
        case "tag": tag = value
        case "take": take = try CallOptions.integer(name, value, from: 1)
        case "reconnect": reconnects = try CallOptions.boolean(name, value)
        case "strict": isStrict = try CallOptions.boolean(name, value)
        case "vocabulary":
            guard let vocabulary = value.string.flatMap(Vocabulary.init) else {
                throw Failure(.invalidArgument, "vocabulary is none of normalized, engine, both")
            }
            self.vocabulary = vocabulary
        case "on_conflict" where value.isNull: return
        case "on_conflict":
            guard let policy = value.string.flatMap(ConflictPolicy.init) else {
                throw Failure(.invalidArgument, "on_conflict is none of fail, wait, attach, cancel_active")
            }
            onConflict = policy
        case "coalesce_ms" where value.isNull, "fold" where value.isNull: return
        case "coalesce_ms": coalesceMilliseconds = try CallOptions.integer(name, value, from: 0)
        case "fold": folds = try CallOptions.boolean(name, value)
        case "act_as":
            guard value.isNull || value.string != nil else { throw Failure(.invalidArgument, "act_as is no text") }
            actsAs = value.string
        case "retries": retries = try CallOptions.integer(name, value, from: 0)
        case "reply_limit_bytes": replyLimitBytes = try CallOptions.integer(name, value, from: 1)
        case "all": wantsAll = try CallOptions.boolean(name, value)
        case "headers": headers += try CallOptions.fields(name, value)
        default: throw Failure(.unknownArgument, "there is no option $\(name)")
        }
    }

    package static func integer(_ name: String, _ value: JSONText, from least: Int64) throws(Failure) -> Int64 {
        guard let number = value.integer, number >= least, number <= 1 << 53 else {
            throw Failure(.invalidArgument, "\(name) is no whole number from \(least) on")
        }
        return number
    }

    package static func boolean(_ name: String, _ value: JSONText) throws(Failure) -> Bool {
        guard let flag = value.boolean else { throw Failure(.invalidArgument, "\(name) is neither true nor false") }
        return flag
    }

    /// The members of an object of texts.
    package static func fields(_ name: String, _ value: JSONText) throws(Failure) -> [Request.Field] {
        var fields: [Request.Field] = []
        guard value.kind == .object else { throw Failure(.invalidArgument, "\(name) is no object") }
        for (key, text) in value.members {
            guard let text = text.string else { throw Failure(.invalidArgument, "\(key) in \(name) is no text") }
            fields.append(.init(key, text))
        }
        return fields
    }
}

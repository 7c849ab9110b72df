internal import TandemJSON

/// Documented forms of a value made into the form that engines take; contract/adapts.json says each in words.
enum Adapt {
    static func named(
        _ name: String,
        _ value: JSONText,
        of argument: String = "",
        siblings: [(key: String, value: JSONText)]
    ) throws(Failure) -> JSONText {
        switch name {
        case "one_text_part": oneTextPart(value)
        case "model_text": try modelText(value, provider: siblings.last { $0.key == "provider" }?.value.string)
        case "default_model": try defaultModel(value, siblings: siblings)
        case "cron_text": wrapped(value, in: ["cron", "expression"])
        case "type_text": wrapped(value, in: ["type"])
        case "misfire_text": misfire(value)
        case "path_source": pathSource(value)
        case "comma_list": commaList(value)
        case "json_text": jsonText(value)
        case "without_nulls": withoutNulls(value)
        case "resource_key": try resourceKey(value, of: argument)
        default: renamed[name].map { renaming(value, $0) } ?? approval(name, value)
        }
    }

    private static func resourceKey(_ value: JSONText, of argument: String) throws(Failure) -> JSONText {
        guard let key = value.string else { return value }
        if argument == "prefix" { return JSONText(string: ResourceKey.wirePrefix(key)) }
        if key.isEmpty { throw Failure(.invalidArgument, "\(argument) is empty") }
        return JSONText(string: ResourceKey.wire(key))
    }

    private static func oneTextPart(_ value: JSONText) -> JSONText {
        guard value.kind == .string else { return value }
        return JSONWriter.array { writer in
            writer.object { writer in
                writer.member("type", "text")
                writer.member("text", value)
            }
        }
    }

    private static func modelText(_ value: JSONText, provider: String?) throws(Failure) -> JSONText {
        guard let text = value.string else { return value }
        let parts = text.split(separator: "/", maxSplits: 1).map(String.init)
        let providerID: String
        let modelID: String
        if let provider {
            (providerID, modelID) = (provider, text)
        } else if parts.count == 2 {
            (providerID, modelID) = (parts[0], parts[1])
        } else {
            throw Failure(.invalidArgument, "the model \(text) says no provider: give provider, or provider/model")
        }
        return JSONWriter.object { writer in
            writer.member("providerID", providerID)
            writer.member("modelID", modelID)
        }
    }

    private static func defaultModel(
        _ value: JSONText,
        siblings: [(key: String, value: JSONText)]
    ) throws(Failure) -> JSONText {
        guard value.kind == .string else { return value }
        guard
            let provider = siblings.last(where: { $0.key == "default_provider" || $0.key == "provider_id" })?.value
                .string
        else { throw Failure(.invalidArgument, "model_id needs provider_id beside it") }
        return JSONWriter.object { writer in
            writer.member(provider, object: { $0.member("default_model", value) })
        }
    }
}

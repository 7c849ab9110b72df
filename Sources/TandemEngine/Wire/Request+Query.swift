internal import TandemContract

/// Query values by type; a bad one is the framework's 400, with the name.
extension Request {
    func whole(_ name: String) throws(Halt) -> Int64? {
        guard let text = query(name) else { return nil }
        guard let number = Int64(text), number >= 0 else {
            throw .reply(badQuery(name, "has to be a whole number, not `\(text)`"))
        }
        return number
    }

    func flag(_ name: String) throws(Halt) -> Bool? {
        switch query(name) {
        case nil: return nil
        case "true": return true
        case "false": return false
        case let text?: throw .reply(badQuery(name, "has to be true or false, not `\(text)`"))
        }
    }

    func word(_ name: String, of words: [String]) throws(Halt) -> String? {
        guard let text = query(name) else { return nil }
        guard words.contains(text) else {
            throw .reply(badQuery(name, "has to be one of \(words.joined(separator: ", ")), not `\(text)`"))
        }
        return text
    }

    private func badQuery(_ name: String, _ reason: String) -> Reply {
        Reply(status: 400, body: .text("\(name): \(reason)"))
    }
}

internal import TandemJSON

/// Permissions or questions of a run that wait for an answer, oldest first.
struct RunRequests: Sendable {
    struct Request: Sendable {
        let id: String
        /// The properties of the event that asked.
        let properties: JSONText
    }

    private(set) var all: [Request] = []

    mutating func add(_ id: String, _ properties: JSONText) {
        if !all.contains(where: { $0.id == id }) { all.append(Request(id: id, properties: properties)) }
    }

    mutating func remove(_ id: String) { all.removeAll { $0.id == id } }

    func write(to writer: inout JSONWriter) {
        writer.array { writer in for request in all { writer.value(request.properties) } }
    }
}

internal import TandemJSON

// Adapts that take an argument away, or that look at all of them (contract/adapts.json).
extension Planner {
    /// Arguments that are not sent under any name; false for all others.
    mutating func takeTranslated(_ argument: Operation.Argument) throws(Failure) -> Bool {
        switch argument.adapt {
        case "whole_body":
            guard argument.names.contains(where: { name in left.last { $0.key == name }?.value.kind == .object })
            else { return false }
            givenBody = try take(argument)
            return true
        case "memory_filter":
            guard let value = try take(argument) else { return true }
            var filter = filter ?? MemoryFilter()
            try filter.add(argument.name, value)
            self.filter = filter
            return true
        default: return false
        }
    }

    mutating func translateBody() throws(Failure) {
        filterByRoutine()
        if let givenBody { complete(givenBody) }
        if operation.body != .fields { return }
        var adapts = BodyAdapts(
            operation: operation,
            path: request.path,
            actsForOwner: actsForOwner,
            now: now,
            body: body
        )
        try adapts.apply()
        body = adapts.body
    }

    /// As the header of the request will say; an agent never does.
    private var actsForOwner: Bool {
        let isAgent = (options.headers + request.headers).contains { $0.name.lowercased() == "x-tandem-agent-id" }
        return options.actsAs == CallOptions.owner && !isAgent
    }

    /// `routine_filter`: engines filter legacy runs by this name only.
    private mutating func filterByRoutine() {
        for argument in operation.arguments where argument.adapt == "routine_filter" {
            guard let index = request.query.firstIndex(where: { $0.name == argument.wire }) else { continue }
            let field = request.query.remove(at: index)
            if request.query("routine_id") == nil { request.query.append(.init("routine_id", field.value)) }
        }
    }

    /// `whole_body`: what stands beside the object fills in what it lacks; only what guards a call goes before it.
    private mutating func complete(_ given: JSONText) {
        var members = given.members
        for (key, value) in operation.body == .fields ? body : body + left {
            let isGuard = ["expected_updated_at_ms", "idempotency_key"].contains(key)
            if isGuard { members.removeAll { $0.key == key } }
            if !members.contains(where: { $0.key == key }) { members.append((key, value)) }
        }
        body = members
        if operation.body != .fields { left = [] }
    }
}

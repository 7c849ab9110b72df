/// Names of the contract as Swift constants.
enum NameOutput {
    static let opening = "// \(Output.mark)\n// swift-format-ignore-file\n\n"

    static func failures(_ contract: Contract) -> Output {
        let errors = contract.file("errors").members
        let cases = errors.map { "    case \(identifier($0.key)) = \"\($0.key)\"\n" }.joined()
        let retryable = errors.filter { $0.value["retryable"]?.isTrue == true }
        let text = """
            /// Why an operation failed: the stable names of contract/errors.json.
            package enum FailureName: String, Sendable, CaseIterable {
            \(cases)
                /// The status code of tandem.h.
                package var code: Int32 {
                    switch self {
            \(codes(errors))        }
                }

                /// The same call may succeed later.
                package var isRetryable: Bool {
                    switch self {
                    case \(names(retryable)): true
                    default: false
                    }
                }

                package var summary: String {
                    switch self {
            \(errors.map { "        case \(names([$0])): \(Value.quoted($0.value["summary"]?.string ?? ""))\n" }.joined())        }
                }
            }

            """
        return Output(path: "Sources/TandemContract/Generated/FailureName.swift", text: opening + text)
    }

    private static func codes(_ errors: [Value.Member]) -> String {
        var groups: [(value: String, errors: [Value.Member])] = []
        for error in errors {
            let value = error.value["value"]?.compact ?? "0"
            if let index = groups.firstIndex(where: { $0.value == value }) {
                groups[index].errors.append(error)
            } else {
                groups.append((value, [error]))
            }
        }
        return groups.map { "        case \(names($0.errors)): \($0.value)\n" }.joined()
    }

    private static func names(_ errors: [Value.Member]) -> String {
        errors.map { "." + identifier($0.key) }.joined(separator: ", ")
    }

    /// A name that Swift has taken gets a word more, or is quoted.
    private static func identifier(_ name: String) -> String {
        switch lowerCamelCase(name) {
        case "internal": "internalError"
        case let word where ["default", "in", "is", "protocol", "switch", "continue"].contains(word): "`\(word)`"
        case let word: word
        }
    }

    static func events(_ contract: Contract) -> Output {
        let events = contract.file("events")
        let engine = events["engine"]?.members ?? []
        let normalized = events["normalized"]?.members ?? []
        let text =
            enumeration("EngineEventName", "Types of the engine's own events.", engine) + "\n"
            + enumeration("EventName", "Types of the normalized events.", normalized)
        return Output(path: "Sources/TandemContract/Generated/EngineEventName.swift", text: opening + text)
    }

    private static func enumeration(_ name: String, _ summary: String, _ events: [Value.Member]) -> String {
        // A name with * stands for many.
        let lines = events.filter { !$0.key.contains("*") }.map {
            "    package static let \(identifier($0.key)) = \"\($0.key)\"\n"
        }
        return "/// \(summary)\npackage enum \(name) {\n\(lines.joined())}\n"
    }

    /// Numbers of the operations in those namespaces of which the engine inside answers something.
    static func operationNumbers(_ contract: Contract) -> Output {
        let namespaces = Set(contract.operations.filter { $0.has("embedded") }.map(\.namespace))
        let lines = contract.operations.enumerated().filter { namespaces.contains($1.namespace) }.map {
            "    package static let \(lowerCamelCase($1.fullName)) = OperationNumber(\($0))\n"
        }
        let text = "package import TandemContract\n\nextension OperationNumber {\n\(lines.joined())}\n"
        return Output(
            path: "Sources/TandemEngine/Generated/OperationNumber+Generated.swift",
            text: opening + text
        )
    }
}

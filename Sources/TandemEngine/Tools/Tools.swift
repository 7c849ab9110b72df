internal import TandemContract
internal import TandemJSON
internal import TandemProviders

/// The tools that there are: the host's and the engine's own.
enum Tools {
    static let handlers: [Handler] = [
        .read(.engineListToolIds, ids),
        .read(.engineListTools, list),
    ]

    /// In the order of their names.
    private static func all(_ reading: Reading) -> [RunTool] {
        let hosted = reading.context.host.offers.tools.map { RunTool($0) }
        let own = BuiltInTool.allCases.map { RunTool($0) }.filter { own in !hosted.contains { $0.name == own.name } }
        return (hosted + own).sorted { $0.name < $1.name }
    }

    @Sendable private static func ids(_ reading: Reading, _: Request) throws(Halt) -> Reply {
        .json(JSONWriter.array { writer in for tool in all(reading) { writer.string(tool.name) } })
    }

    @Sendable private static func list(_ reading: Reading, _: Request) throws(Halt) -> Reply {
        .json(
            JSONWriter.array { writer in
                for tool in all(reading) {
                    writer.object { writer in
                        writer.member("name", tool.name)
                        writer.member("description", tool.model.description)
                        writer.member("input_schema", tool.model.parameters)
                    }
                }
            }
        )
    }
}

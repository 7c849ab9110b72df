/// The exported functions in Swift, a file for each namespace; the compiler checks them against the header.
enum ExportOutput {
    static func make(_ contract: Contract) -> [Output] {
        let numbers = Dictionary(
            contract.operations.enumerated().map { ($1.fullName, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        return contract.namespaces.map { namespace in
            let functions = contract.operations(in: namespace.name).map { function($0, numbers[$0.fullName] ?? 0) }
            let text = NameOutput.opening + "internal import CTandem\ninternal import CTandemKernel\n\n"
            return Output(
                path: "Sources/TandemOperations/Generated/\(namespace.name).swift",
                text: text + functions.joined(separator: "\n")
            )
        }
    }

    private static func function(_ operation: Operation, _ number: Int) -> String {
        """
        @_cdecl("\(operation.function)") @implementation
        public func \(operation.function)(
            _ c: OpaquePointer?,
            _ args_json: UnsafePointer<CChar>?
        ) -> UnsafeMutablePointer<CChar>? {
            unsafe libtandem_invoke(\(number), c, args_json)
        }

        """
    }
}

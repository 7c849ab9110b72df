internal import TandemJSON

/// Something wrong in a file.
struct Problem {
    let file: String
    let message: String
}

/// A file of the contract as it was read.
struct ContractFile {
    let path: String
    let text: String
    let value: Value
}

/// The contract: all its files, and the operations in the order of their names.
struct Contract {
    struct Namespace {
        let name: String
        let summary: String
    }

    private(set) var files: [ContractFile] = []
    private(set) var operations: [Operation] = []
    private(set) var namespaces: [Namespace] = []
    /// What could not be read.
    private(set) var problems: [Problem] = []

    static let names = ["adapts", "client", "compatibility", "errors", "events", "python", "recipes", "types"]

    init(_ tree: Tree) {
        let folder = tree.names(in: "contract/operations").filter { $0.hasSuffix(".json") }
        let paths = Contract.names.map { "contract/\($0).json" } + folder.map { "contract/operations/" + $0 }
        for path in paths { read(path, tree) }
        for file in files where file.isOperations { add(file) }
        operations.sort { Array($0.fullName.utf8).lexicographicallyPrecedes(Array($1.fullName.utf8)) }
        namespaces.sort { $0.name < $1.name }
    }

    func file(_ name: String) -> Value { files.first { $0.path == "contract/\(name).json" }?.value ?? .object([]) }

    var types: [Value.Member] { file("types").members + (file("client")["types"]?.members ?? []) }

    func operations(in namespace: String) -> [Operation] { operations.filter { $0.namespace == namespace } }

    private mutating func read(_ path: String, _ tree: Tree) {
        do {
            let bytes = try tree.read(path)
            let value = Value(try JSONText(checking: bytes))
            files.append(ContractFile(path: path, text: String(decoding: bytes, as: UTF8.self), value: value))
        } catch let error as JSONError {
            problems.append(Problem(file: path, message: "\(error.message) at byte \(error.offset)"))
        } catch let error as FileError {
            problems.append(Problem(file: path, message: error.reason))
        } catch {
            problems.append(Problem(file: path, message: "\(error)"))
        }
    }

    private mutating func add(_ file: ContractFile) {
        let namespace = file.value["namespace"]?.string ?? ""
        let isClient = file.path == "contract/client.json"
        for member in file.value["operations"]?.members ?? [] {
            operations.append(
                Operation(
                    fullName: isClient ? member.key : namespace + "." + member.key,
                    file: file.path,
                    actsForOwner: file.value["acts_for_owner"]?.isTrue == true,
                    entry: member.value
                )
            )
        }
        if !isClient {
            namespaces.append(Namespace(name: namespace, summary: file.value["summary"]?.string ?? ""))
        }
    }
}

extension ContractFile {
    var isOperations: Bool { path == "contract/client.json" || path.hasPrefix("contract/operations/") }
}

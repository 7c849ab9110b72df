internal import Glibc

/// Makes everything that follows from the contract, or says where the project no longer follows from it.
@main struct Generate {
    enum Mode { case write, check, format, listExports }

    static func main() {
        guard let (mode, root) = arguments() else {
            print("usage: tandem-generate [--check | --format | --list-exports] [--root DIR]")
            exit(2)
        }
        let tree = Tree(root: root)
        do {
            exit(try run(mode, tree) ? 0 : 1)
        } catch {
            print("\(error.path): \(error.reason)")
            exit(1)
        }
    }

    private static func arguments() -> (Mode, String)? {
        var mode = Mode.write
        var root = "."
        var rest = CommandLine.arguments.dropFirst()
        while let argument = rest.popFirst() {
            switch argument {
            case "--check": mode = .check
            case "--format": mode = .format
            case "--list-exports": mode = .listExports
            case "--root":
                guard let folder = rest.popFirst() else { return nil }
                root = folder
            default: return nil
            }
        }
        return (mode, root)
    }

    private static func run(_ mode: Mode, _ tree: Tree) throws(FileError) -> Bool {
        let contract = Contract(tree)
        if mode == .format { return try format(contract, tree) }
        let header = Header(text: String(decoding: try tree.read("include/tandem.h"), as: UTF8.self))
        if mode == .listExports {
            for name in header.exports(with: contract) { print(name) }
            return true
        }
        var problems = Checks(contract, constants: header.constants).problems
        if mode == .check {
            problems += contract.files.compactMap(layoutProblem)
            if problems.isEmpty { problems = differences(outputs(contract, header), tree) }
        }
        guard problems.isEmpty else {
            for problem in problems { print("\(problem.file): \(problem.message)") }
            return false
        }
        if mode == .write { try write(outputs(contract, header), tree) }
        return true
    }

    private static func format(_ contract: Contract, _ tree: Tree) throws(FileError) -> Bool {
        for problem in contract.problems { print("\(problem.file): \(problem.message)") }
        for file in contract.files {
            let text = Layout.text(of: file)
            if text != file.text { try tree.write(file.path, text) }
        }
        return contract.problems.isEmpty
    }

    private static func layoutProblem(_ file: ContractFile) -> Problem? {
        firstDifference(file.text, Layout.text(of: file)).map {
            Problem(file: file.path, message: "line \($0) is not laid out as tandem-generate --format does it")
        }
    }

    private static func differences(_ outputs: [Output], _ tree: Tree) -> [Problem] {
        let changed = outputs.compactMap { output -> Problem? in
            guard let bytes = try? tree.read(output.path) else {
                return Problem(file: output.path, message: "is not there")
            }
            return firstDifference(String(decoding: bytes, as: UTF8.self), output.text).map {
                Problem(file: output.path, message: "line \($0) differs from what the contract gives")
            }
        }
        let strange = strangers(outputs, tree)
        return changed + strange.map { Problem(file: $0, message: "does not follow from the contract") }
    }

    /// Files in the generated folders that nothing makes any more.
    private static func strangers(_ outputs: [Output], _ tree: Tree) -> [String] {
        let paths = Set(outputs.map(\.path))
        let generated = ["/Generated/", "/_operations/", "docs/operations/"]
        let folders = Set(paths.filter { path in generated.contains { path.contains($0) } }.map(Tree.folder(of:)))
        return folders.sorted().flatMap { folder in tree.names(in: folder).map { folder + "/" + $0 } }
            .filter { !paths.contains($0) && !$0.hasSuffix("/__pycache__") }
    }

    private static func write(_ outputs: [Output], _ tree: Tree) throws(FileError) {
        for output in outputs {
            // An untouched file keeps its time, so that nothing is built again.
            if let bytes = try? tree.read(output.path), bytes == Array(output.text.utf8) { continue }
            try tree.write(output.path, output.text)
        }
        for path in strangers(outputs, tree) { try tree.remove(path) }
    }

    /// The number of the first line that differs.
    private static func firstDifference(_ left: String, _ right: String) -> Int? {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left != right else { return nil }
        let common = zip(left, right).prefix { $0 == $1 }
        return 1 + common.reduce(0) { $0 + ($1.0 == UInt8(ascii: "\n") ? 1 : 0) }
    }
}

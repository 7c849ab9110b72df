/// What the linker shows of the library.
enum LinkerOutput {
    static func map(_ exports: [String]) -> Output {
        let names = exports.map { "    \($0);\n" }.joined()
        let text = "# \(Output.mark)\nTANDEM_0 {\n  global:\n\(names)  local: *;\n};\n"
        return Output(path: "Sources/TandemABI/tandem.map", text: text)
    }

    /// Without a heading, so that it compares with what `nm` prints.
    static func symbols(_ exports: [String]) -> Output {
        Output(path: "libtandem.symbols", text: exports.map { $0 + "\n" }.joined())
    }
}

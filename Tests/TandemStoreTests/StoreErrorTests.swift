import Glibc
import Testing

@testable import TandemStore

@Suite struct StoreErrorTests {
    private static let cannotOpen: Int32 = 14
    private static let corrupt: Int32 = 11
    /// The extended code SQLITE_IOERR_WRITE.
    private static let cannotWrite: Int32 = 10 | 3 << 8

    @Test(arguments: [
        (cannotOpen, EMFILE, StoreError.Kind.exhausted), (cannotOpen, ENFILE, .exhausted), (cannotOpen, EACCES, .full),
        (cannotOpen, ENOENT, .corrupt), (cannotOpen, ENOTDIR, .corrupt), (cannotOpen, 0, .other),
        (cannotWrite, 0, .full), (corrupt, 0, .corrupt),
    ])
    func anErrorIsWhatTheSystemSaysBehindIt(code: Int32, systemError: Int32, kind: StoreError.Kind) {
        #expect(StoreError(code: code, systemError: systemError, message: "").kind == kind)
    }
}

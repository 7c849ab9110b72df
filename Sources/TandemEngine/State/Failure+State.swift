internal import Glibc
internal import TandemContract
internal import TandemStore
internal import TandemSystem

extension Failure {
    /// What a caller is told of a database's error.
    init(_ error: StoreError) {
        switch error.kind {
        case .full: self.init(.stateFull, "the state cannot be written: \(error.message)")
        case .exhausted: self.init(.limit, error.message)
        case .corrupt: self.init(.stateCorrupt, "the state is damaged: \(error.message)")
        case .foreign, .newer: self.init(.stateCorrupt, "the state cannot be read: \(error.message)")
        case .busy: self.init(.stateLocked, "the state is in use: \(error.message)")
        case .other: self.init(.internalError, "the state gave an error: \(error.message)")
        }
    }

    /// What a caller is told when the system refuses a path.
    init(path: String, systemError: Int32) {
        let reason = systemErrorText(systemError)
        switch systemError {
        case EACCES, EPERM, EROFS, ENOSPC, EDQUOT:
            self.init(.stateFull, "\(path) cannot be written: \(reason)")
        case EMFILE, ENFILE: self.init(.limit, "\(path) cannot be opened: \(reason)")
        default: self.init(.invalidArgument, "\(path) cannot be used: \(reason)")
        }
    }
}

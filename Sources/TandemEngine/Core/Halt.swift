internal import TandemContract
internal import TandemStore

/// How a handler ends early.
enum Halt: Error {
    /// With a reply that says no.
    case reply(Reply)
    case failure(Failure)
    /// The store refused: everything the handler wrote is taken back.
    case store(StoreError)
}

/// Runs database work in a handler.
func stored<Result>(_ body: () throws(StoreError) -> Result) throws(Halt) -> Result {
    do throws(StoreError) { return try body() } catch { throw .store(error) }
}

/// All or nothing.
extension Connection {
    /// Starts a write transaction, at once and not at its first write.
    package func begin() throws(StoreError) { try run("BEGIN IMMEDIATE") }

    package func commit() throws(StoreError) { try run("COMMIT") }

    /// Takes everything back; nothing where there is no transaction any more.
    ///
    /// Some errors, such as a full disk, have ended it already (https://sqlite.org/lang_transaction.html).
    package func rollBack() {
        if isInTransaction { _ = try? run("ROLLBACK") }
    }

    /// Runs `body` in a write transaction and commits; any error takes everything back.
    package func transaction<Result, Failure: Error>(
        _ translate: (StoreError) -> Failure,
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(StoreError) { try begin() } catch { throw translate(error) }
        do throws(Failure) {
            let result = try body()
            do throws(StoreError) { try commit() } catch { throw translate(error) }
            return result
        } catch {
            rollBack()
            throw error
        }
    }

    package func transaction<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try transaction({ $0 }, body)
    }
}

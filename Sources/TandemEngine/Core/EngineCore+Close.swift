internal import TandemContract
internal import TandemStore

extension Batch {
    /// Cancels all runs, and after the commit ends all streams.
    func endEverything() throws(StoreError) {
        for number in core.runs.keys.sorted() { try step(number: number, .cancelled) }
        then { [core] in core.endStreams() }
    }
}

extension EngineCore {
    /// The same when the store takes nothing.
    func loseAll(_ error: StoreError) {
        for number in runs.keys.sorted() { lose(number, error) }
        endStreams()
    }

    fileprivate func endStreams() {
        for id in subscriptions.ids { subscriptions.end(id, .failure(.engineClosed)) }
        models.close()
    }
}

internal import TandemContract
internal import TandemStore

extension Batch {
    /// Cancels all runs.
    func endRuns() throws(StoreError) {
        for number in core.runs.keys.sorted() {
            guard var run = run(number) else { continue }
            run.stop(with: .engineClosed)
            try step(run, .cancelled)
        }
    }

    /// Cancels what began since, and after the commit ends all streams.
    func endEverything() throws(StoreError) {
        try endRuns()
        then { [core] in core.endStreams() }
    }
}

extension EngineCore {
    /// The end of all runs when the store takes nothing.
    func loseRuns(_ error: StoreError) {
        for number in runs.keys.sorted() { lose(number, error) }
    }

    func endStreams() {
        for id in subscriptions.ids { subscriptions.end(id, .failure(.engineClosed)) }
        models.close()
    }
}

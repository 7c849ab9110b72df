internal import TandemContract
internal import TandemHTTP
internal import TandemSystem

/// A stream with a connection of its own that no run's log heals; on the loop's thread only.
final class DirectStream: @unchecked Sendable {
    private let remote: Remote
    private let operation: Operation
    private let request: Request
    private let call: Call
    private let outlet: Outlet
    private let runID: String?
    private var stream: ResumableStream
    private var transfer: StreamTransfer?
    private var timer: TimerID?
    private var connections = 0
    /// The consumer is behind: the next connection waits until it has room.
    private var isHeldBack = false
    /// A consumer that is behind holds the server back; for lines only.
    ///
    /// Nothing says that an engine drops lines for a slow reader. Events of its bus it does drop, without a word: those
    /// streams are read on, and what is dropped here is counted.
    private let holdsServerBack: Bool

    private init(_ remote: Remote, _ operation: Operation, _ request: Request, _ call: Call, _ sink: any Sink) {
        self.remote = remote
        self.operation = operation
        self.request = request
        self.call = call
        outlet = Outlet(sink)
        runID = operation.endsWithRun ? StreamFilter(request).runID : nil
        stream = ResumableStream(operation, isTold: call.options.reconnects)
        holdsServerBack = operation.response == .jsonLines
        if !holdsServerBack { outlet.drop = { [weak self] in self?.drop($0) ?? [] } }
    }

    /// From any thread.
    static func start(_ remote: Remote, _ operation: Operation, _ request: Request, _ call: Call, _ sink: any Sink) {
        let isPosted = remote.loop.post {
            let stream = DirectStream(remote, operation, request, call, sink)
            call.whenResumed { remote.loop.post { stream.resume() } }
            call.whenCancelled { remote.loop.post { stream.stop(.failure(.remoteCancelled)) } }
            if !stream.outlet.isOver { stream.connect(isFirst: true) }
        }
        if !isPosted { sink.end(.failure(.remoteClosed)) }
    }

    private func connect(isFirst: Bool) {
        timer = nil
        if holdsServerBack, outlet.isFull {
            isHeldBack = true
            return
        }
        connections += 1
        let number = connections
        var options = call.options
        // What comes after the first time has a rhythm of its own.
        if !isFirst { options.retries = 0 }
        do throws(Failure) {
            let made = StreamTransfer(
                remote,
                operation,
                try remote.builder.make(operation, stream.request(request), options),
                options,
                until: call.deadline,
                opened: { [self] in if number == connections { outlet.offer(stream.opened()) } },
                receive: { [self] in if number == connections { take($0) } },
                finish: { [self] in if number == connections { lose($0) } }
            )
            transfer = made
            made.begin()
        } catch { outlet.end(.failure(error)) }
    }

    private func take(_ frames: [StreamFrame]) {
        let events = stream.take(frames)
        guard let runID, let last = events.firstIndex(where: { $0.endsRun && $0.runID == runID }) else {
            outlet.offer(events)
            if holdsServerBack, outlet.isFull { transfer?.pause() }
            return
        }
        outlet.offer(Array(events[...last]))
        outlet.end(.success(nil))
        disconnect()
    }

    private func lose(_ failure: Failure?) {
        let wait = transfer?.retryMilliseconds
        transfer = nil
        if !call.options.reconnects { return outlet.end(failure.map { .failure($0) } ?? .success(nil)) }
        let failure = failure ?? Failure(.engineUnavailable, "\(operation.name): the server ended the stream")
        switch stream.lost(failure, wait: wait, random: remote.random.next()) {
        case .end(let failure): outlet.end(.failure(failure))
        case .retry(let milliseconds, let event):
            outlet.offer([event])
            timer = remote.loop.after(Deadline(afterMilliseconds: max(milliseconds, 1))) { [self] in
                connect(isFirst: false)
            }
        }
    }

    /// What the consumer has no room for comes again by the cursor, or is counted as lost.
    private func drop(_ events: [EngineEvent]) -> [EngineEvent] {
        guard call.options.reconnects, stream.rewind(before: events) else {
            return [ResyncCounts(gaps: Int64(events.count)).event(session: nil, run: nil)]
        }
        disconnect()
        isHeldBack = true
        return []
    }

    private func resume() {
        outlet.resume()
        if outlet.isOver || holdsServerBack && outlet.isWaiting { return }
        transfer?.resume()
        guard isHeldBack else { return }
        isHeldBack = false
        connect(isFirst: false)
    }

    private func disconnect() {
        transfer?.close()
        transfer = nil
        connections += 1
        if let timer { remote.loop.cancelTimer(timer) }
        timer = nil
    }

    private func stop(_ outcome: Result<Reply?, Failure>) {
        disconnect()
        outlet.stop(outcome)
    }
}

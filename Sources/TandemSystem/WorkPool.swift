/// Up to a few threads for work that blocks; they start when needed and leave when there has been nothing to do.
package final class WorkPool: Sendable {
    package typealias Job = @Sendable () -> Void

    private struct State {
        var queue: [Job] = []
        var alive: Set<Int> = []
        var threads: [Int: Thread] = [:]
        var idle = 0
        var issued = 0
        var stopping = false
    }

    private enum Turn {
        case run(Job)
        case leave
    }

    private let state = Monitor(State())
    private let limit: Int
    private let idleMilliseconds: Int64

    package init(limit: Int = 4, idleMilliseconds: Int64 = 5_000) {
        self.limit = limit
        self.idleMilliseconds = idleMilliseconds
    }

    /// The number of threads that live now.
    package var threadCount: Int { state.withLock { $0.alive.count } }

    /// Queues a job; false when the pool has stopped or the system has no thread for it: it will never run then.
    @discardableResult
    package func post(_ job: @escaping Job) -> Bool {
        let (accepted, newcomer) = state.change { state -> (Bool, Int?) in
            guard !state.stopping else { return (false, nil) }
            state.queue.append(job)
            guard state.queue.count > state.idle, state.alive.count < limit else { return (true, nil) }
            state.issued += 1
            state.alive.insert(state.issued)
            return (true, state.issued)
        }
        guard let newcomer else { return accepted }
        return startThread(newcomer)
    }

    /// Refuses new jobs, lets those in the queue run, and waits for the threads; false when time ran out before.
    package func stop(by deadline: Deadline) -> Bool {
        state.change { $0.stopping = true }
        guard state.wait(until: deadline, for: { $0.alive.isEmpty ? true : nil }) != nil else { return false }
        let threads = state.withLock { state in
            defer { state.threads = [:] }
            return state.threads.values.map { $0 }
        }
        return threads.allSatisfy { $0.join(by: deadline) }
    }

    private func startThread(_ number: Int) -> Bool {
        let thread = Thread.start("tandem-work") { [self] in work(number) }
        return state.change { state in
            guard let thread else {
                state.alive.remove(number)
                // Others will get to the job; without any it must not look accepted.
                if state.alive.isEmpty { state.queue.removeAll() }
                return !state.alive.isEmpty
            }
            if state.alive.contains(number) || state.stopping { state.threads[number] = thread }
            return true
        }
    }

    private func work(_ number: Int) {
        while case .run(let job) = nextTurn(number) { job() }
    }

    private func nextTurn(_ number: Int) -> Turn {
        state.withLock { $0.idle += 1 }
        let turn = state.wait(until: Deadline(afterMilliseconds: idleMilliseconds)) { state -> Turn? in
            if !state.queue.isEmpty {
                state.idle -= 1
                return .run(state.queue.removeFirst())
            }
            return state.stopping ? .leave : nil
        }
        if case .run = turn { return turn ?? .leave }
        return leave(number)
    }

    /// Leaves, unless a job came at the last moment: whoever posted it counted on this thread.
    private func leave(_ number: Int) -> Turn {
        let (turn, released) = state.change { state -> (Turn, Thread?) in
            state.idle -= 1
            if !state.queue.isEmpty { return (.run(state.queue.removeFirst()), nil) }
            state.alive.remove(number)
            // While stopping, `stop` joins it; else its resources go when it ends.
            return (.leave, state.stopping ? nil : state.threads.removeValue(forKey: number))
        }
        _ = consume released
        return turn
    }
}

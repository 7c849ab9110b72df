/// Up to a few threads for work that blocks; they start when needed and leave when there has been nothing to do.
package final class WorkPool: Sendable {
    package typealias Job = @Sendable () -> Void

    /// Why a job will never run.
    package enum Refusal: Sendable { case stopped, noThread }

    private struct State {
        var queue: [(job: Job, refuse: @Sendable (Refusal) -> Void)] = []
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

    /// Queues a job; `orElse` runs in its place, on this thread or on another that posts, when it never will.
    package func post(_ job: @escaping Job, orElse refuse: @escaping @Sendable (Refusal) -> Void) {
        let (accepted, newcomer) = state.change { state -> (Bool, Int?) in
            guard !state.stopping else { return (false, nil) }
            state.queue.append((job, refuse))
            guard state.queue.count > state.idle, state.alive.count < limit else { return (true, nil) }
            state.issued += 1
            state.alive.insert(state.issued)
            return (true, state.issued)
        }
        if !accepted { refuse(.stopped) }
        if let newcomer { startThread(newcomer) }
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

    private func startThread(_ number: Int) {
        let thread = Thread.start("tandem-work") { [self] in work(number) }
        let refused = state.change { state -> [@Sendable (Refusal) -> Void] in
            guard let thread else {
                state.alive.remove(number)
                // Others will get to the jobs; without any nobody would, nor to those that counted on this thread.
                guard state.alive.isEmpty else { return [] }
                defer { state.queue = [] }
                return state.queue.map(\.refuse)
            }
            if state.alive.contains(number) || state.stopping { state.threads[number] = thread }
            return []
        }
        for refuse in refused { refuse(.noThread) }
    }

    private func work(_ number: Int) {
        while case .run(let job) = nextTurn(number) { job() }
    }

    private func nextTurn(_ number: Int) -> Turn {
        state.withLock { $0.idle += 1 }
        let turn = state.wait(until: Deadline(afterMilliseconds: idleMilliseconds)) { state -> Turn? in
            if !state.queue.isEmpty {
                state.idle -= 1
                return .run(state.queue.removeFirst().job)
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
            if !state.queue.isEmpty { return (.run(state.queue.removeFirst().job), nil) }
            state.alive.remove(number)
            // While stopping, `stop` joins it; else its resources go when it ends.
            return (.leave, state.stopping ? nil : state.threads.removeValue(forKey: number))
        }
        _ = consume released
        return turn
    }
}

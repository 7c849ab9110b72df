/// Names one timer of an event loop.
package struct TimerID: Hashable, Sendable {
    let number: UInt64
}

/// Jobs by the moment at which they are due: a heap, from which cancelled entries are cleared away in bulk.
struct TimerQueue {
    fileprivate struct Entry {
        let due: UInt64
        let id: TimerID
    }

    private var heap: [Entry] = []
    private var jobs: [TimerID: @Sendable () -> Void] = [:]
    private var issued: UInt64 = 0

    /// The moment at which to look again, which may be that of a timer that was cancelled.
    ///
    /// A loop that is woken once for nothing need not be woken for each of the later timers that are set meanwhile.
    var next: UInt64? { heap.first?.due }

    /// Takes a job; one that is never due is kept until it is cancelled.
    mutating func insert(due: UInt64?, _ job: @escaping @Sendable () -> Void) -> TimerID {
        issued &+= 1
        let id = TimerID(number: issued)
        jobs[id] = job
        if let due {
            heap.append(Entry(due: due, id: id))
            siftUp(heap.count - 1)
        }
        return id
    }

    /// Gives the job back, so that what it holds is released outside the caller's lock; nil when it waits no more.
    mutating func cancel(_ id: TimerID) -> (@Sendable () -> Void)? {
        guard let job = jobs.removeValue(forKey: id) else { return nil }
        if heap.count > 64 && heap.count / 2 > jobs.count { compact() }
        return job
    }

    /// The earliest job that is due at `now`.
    mutating func popDue(at now: UInt64) -> (@Sendable () -> Void)? {
        guard let due = heap.first?.due, due <= now else { return nil }
        dropCancelled()
        guard let first = heap.first, first.due <= now else { return nil }
        removeFirst()
        return jobs.removeValue(forKey: first.id)
    }

    private mutating func dropCancelled() {
        while let first = heap.first, jobs[first.id] == nil { removeFirst() }
    }

    private mutating func compact() {
        heap = heap.filter { jobs[$0.id] != nil }
        heap.sort { $0.comesBefore($1) }
    }

    private mutating func removeFirst() {
        guard let last = heap.popLast(), !heap.isEmpty else { return }
        heap[0] = last
        siftDown()
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comesBefore(heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while true {
            var least = parent
            for child in [parent * 2 + 1, parent * 2 + 2] where child < heap.count {
                if heap[child].comesBefore(heap[least]) { least = child }
            }
            if least == parent { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}

extension TimerQueue.Entry {
    /// Timers that are due together run in the order in which they were set.
    fileprivate func comesBefore(_ other: Self) -> Bool {
        due != other.due ? due < other.due : id.number < other.id.number
    }
}

internal import CTandemSystem
internal import Glibc

/// One of the library's own threads: named, with all signals blocked, so that the host's handlers never run on it.
@safe package final class Thread: @unchecked Sendable {
    private let finished = Monitor(false)
    private let handle: Lock<pthread_t?>

    /// Stack of a library thread: what runs on them neither recurses nor keeps large buffers on the stack.
    private static let stackBytes = 512 * 1024

    /// Starts a thread; nil when the system has no room for one.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Thread? {
        let thread = Thread()
        return thread.launch(Start(name: name, body: body, finished: thread.finished)) ? thread : nil
    }

    private init() { handle = Lock(nil) }

    private func launch(_ start: Start) -> Bool {
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        defer { unsafe pthread_attr_destroy(&attributes) }
        unsafe pthread_attr_setstacksize(&attributes, Thread.stackBytes)
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        let context = unsafe Unmanaged.passRetained(start)
        var created = pthread_t()
        guard unsafe pthread_create(&created, &attributes, runThread, context.toOpaque()) == 0 else {
            unsafe context.release()
            return false
        }
        let id = created
        handle.withLock { $0 = id }
        return true
    }

    /// Waits until the thread's body has returned and releases it; false when time ran out before.
    package func join(by deadline: Deadline) -> Bool {
        guard finished.wait(until: deadline, for: { $0 ? true : nil }) != nil else { return false }
        if let id = handle.withLock({ handle in
            defer { handle = nil }
            return handle
        }) {
            pthread_join(id, nil)
        }
        return true
    }

    package var isCurrent: Bool { handle.withLock { $0 == pthread_self() } }

    deinit {
        // Nobody will join it any more: its memory goes back when it ends.
        if let id = handle.withLock({ $0 }) { pthread_detach(id) }
    }
}

private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    let finished: Monitor<Bool>

    init(name: String, body: @escaping @Sendable () -> Void, finished: Monitor<Bool>) {
        self.name = name
        self.body = body
        self.finished = finished
    }
}

private func runThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let start = unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
    unsafe libtandem_name_thread(start.name)
    start.body()
    start.finished.change { $0 = true }
    return nil
}

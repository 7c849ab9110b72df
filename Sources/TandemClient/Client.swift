package import TandemContract
internal import TandemJSON
package import TandemSystem

/// One open client over an engine: operations under way and what they have for the host.
///
/// Every function may be called on any thread. The state is behind one lock, a leaf: engines, host functions and waiting
/// threads are called or woken after it is let go.
package final class Client: Sendable {
    struct Running: Sendable {
        let operation: Operation
        let call: Call
        var timer: TimerID?
        /// How an operation that is told to stop ends, where that is not its own way.
        var stopsAs: FailureName?
        /// Of `sessions.run`.
        var conversation: RunConversation?
    }

    struct Wakeup: Sendable {
        var host: HostFunction
        var running = 0
    }

    struct State: Sendable {
        var mailbox: Mailbox
        var running: [UInt64: Running] = [:]
        /// Blocking calls that have no operation of their own.
        var blocked: [ObjectIdentifier: Call] = [:]
        var owners = SessionOwners()
        /// Runs of `sessions.run` that are not over, also those whose operation is.
        var conversations = 0
        var hosts = HostBook()
        var isPumping = false
        var isClosing = false
        /// One of the threads that close ends the engine; the others wait for it.
        var isEnding = false
        var isClosed = false
        var wakeup: Wakeup?
        /// The wakeup function comes once; a pump or next arms it again.
        var isArmed = true
        var descriptor: WakeupDescriptor?
        var started: Int64 = 0
        var dropped: Int64 = 0
    }

    let state: Lock<State>
    let host: ClientHost
    let backend: any Backend
    /// Whom policies ask; the engine inside asks the same.
    let desk: any Host
    let loop: EventLoop
    let options: ClientOptions
    let clock: any Clock
    let random: Random
    let firstID: UInt64
    let models = Lock(ModelKnowledge())
    let decisions = DecisionFollower()
    /// A thread that pumps, where the host asked for one: joined by close.
    package let pumper = Lock<Thread?>(nil)

    package init(
        backend: any Backend,
        loop: EventLoop,
        host: ClientHost,
        options: ClientOptions,
        clock: any Clock,
        random: Random,
        desk: any Host = NoHost()
    ) {
        var limits = Mailbox.Limits()
        limits.operations = options.operationsLimit
        limits.resultBytes = options.resultsLimitBytes
        limits.queueBytes = options.queueBytes
        var mailbox = Mailbox(limits: limits)
        if options.logLevel > 0 { mailbox.open(0, tag: nil, callback: nil) }
        state = Lock(State(mailbox: mailbox))
        self.backend = backend
        self.desk = desk
        self.loop = loop
        self.host = host
        self.options = options
        self.clock = clock
        self.random = random
        firstID = OperationID.current
    }

    package var isClosing: Bool { state.withLock { $0.isClosing } }

    /// Changes the state, then tells whoever waits for it.
    @discardableResult
    func change<Result>(_ body: (inout State) -> Result) -> Result {
        let (result, wakeup) = state.withLock { state in
            let result = body(&state)
            return (result, notice(&state))
        }
        host.signal.raise()
        if let wakeup { run(wakeup) }
        return result
    }

    /// Brings descriptor, busy mark and wakeup in line with what is queued; gives the function to call, if any.
    private func notice(_ state: inout State) -> HostFunction? {
        let isReady = state.mailbox.hasDeliverable
        // First the mark, then the descriptor: a host that polls and pumps at once must not be told there is nothing.
        host.setBusy(isReady || state.isPumping || state.isClosing || !state.isArmed || loop.lends)
        state.descriptor?.set(isReady)
        guard isReady, state.isArmed, !state.isPumping, var wakeup = state.wakeup else { return nil }
        wakeup.running += 1
        state.wakeup = wakeup
        state.isArmed = false
        host.setBusy(true)
        return wakeup.host
    }

    private func run(_ wakeup: HostFunction) {
        host.runWakeup(wakeup)
        state.withLock { $0.wakeup?.running -= 1 }
        host.signal.raise()
    }

    /// Whether the number was given to an operation, a provider or a host call of this client.
    func isOwn(_ id: UInt64, _ kind: OperationID.Kind = .operation) -> Bool {
        id > firstID && id <= OperationID.current && OperationID.slot(of: id) == host.slot
            && OperationID.kind(of: id) == kind
    }

    static var closedFailure: Failure { Failure(.closed, "the client is closed or was never open") }
}

package import TandemContract
package import TandemSystem

/// What the C side does for a client: its slot, and calling the host's functions that run on foreign threads.
package struct ClientHost: Sendable {
    package let signal: Signal
    /// Told whether a pump that does not wait has anything to do.
    package let setBusy: @Sendable (Bool) -> Void
    /// Whether somebody called tandem_wake since this was last asked.
    package let takeWoken: @Sendable () -> Bool
    package let runWakeup: @Sendable (HostFunction) -> Void
    /// The number in every operation's id that says whose it is.
    package let slot: Int

    package init(
        signal: Signal,
        slot: Int,
        setBusy: @escaping @Sendable (Bool) -> Void,
        takeWoken: @escaping @Sendable () -> Bool,
        runWakeup: @escaping @Sendable (HostFunction) -> Void
    ) {
        self.signal = signal
        self.slot = slot
        self.setBusy = setBusy
        self.takeWoken = takeWoken
        self.runWakeup = runWakeup
    }
}

/// What of the configuration concerns the client rather than the engine.
package struct ClientOptions: Sendable {
    /// What a call that says nothing else gets.
    package var calls = CallOptions()
    /// In all, of a call that is neither a stream nor waits for a run.
    package var timeoutMilliseconds: Int64 = 20_000
    package var operationsLimit = 65_536
    package var resultsLimitBytes = 256 * 1024 * 1024
    package var queueBytes = 1024 * 1024
    /// How long a prompt_sync that is told to stop waits for its run's end.
    package var stopMilliseconds: Int64 = 5_000
    /// Records up to this level become events of operation 0; 0: none.
    package var logLevel: Int32 = 0

    package init() {}
}

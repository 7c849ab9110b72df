package import TandemContract
internal import TandemJSON
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
    package var calls = CallDefaults()
    package var operationsLimit = 65_536
    package var resultsLimitBytes = 256 * 1024 * 1024
    package var queueBytes = 1024 * 1024
    /// How long a prompt_sync that is told to stop waits for its run's end.
    package var stopMilliseconds: Int64 = 5_000
    /// Records up to this level become events of operation 0; 0: none.
    package var logLevel: Int32 = 0

    package init() {}
}

/// Options that a call may override.
package struct CallDefaults: Sendable {
    package var timeoutMilliseconds: Int64 = 20_000
    package var vocabulary = CallOptions.Vocabulary.normalized
    package var folds = false
    package var coalesceMilliseconds: Int64 = 0
    package var isStrict = false
    package var replyLimitBytes = Int64(JSONLimit.bytes)
    package var retries: Int64 = 2
    package var onConflict = CallOptions.ConflictPolicy.fail
    package var actsAs: String? = "control_panel"

    package init() {}
}

internal import CTandem
internal import CTandemKernel
internal import CTandemSystem
internal import TandemClient
internal import TandemContract
internal import TandemEngine
internal import TandemJSON
internal import TandemRemote
internal import TandemSystem

/// Opens a client: the only place that knows which engines there are.
enum Opening {
    static func open(_ json: JSONText) throws(Failure) -> OpaquePointer? {
        var configuration = try Configuration(json)
        libtandem_fork_watch()
        unsafe installUpcalls()
        guard let slot = Slot() else { throw Failure(.limit, "too many clients are open in this process") }
        var isOpen = false
        do throws(Failure) {
            let records = Records(configuration.client.logLevel)
            configuration.log(to: records)
            let desk = HostDesk()
            configuration.engine.host = desk
            let client = try makeClient(configuration, slot, desk)
            desk.attach(client)
            records.client.withLock { $0 = WeakClient(client) }
            unsafe ClientTable.insert(client, slot.handle)
            isOpen = true
            if configuration.delivery == .thread { try startPumping(client, slot) }
            Log.write(3, "client opened", .emptyObject)
            client.log(3, "client opened", .emptyObject)
            return unsafe slot.handle
        } catch {
            // A client that is open gives its slot back when it is closed.
            if isOpen { _ = unsafe tandem_close(slot.handle, -1) } else { slot.free() }
            throw error
        }
    }

    private static func makeClient(
        _ configuration: Configuration,
        _ slot: Slot,
        _ desk: HostDesk
    ) throws(Failure) -> Client {
        guard let loop = EventLoop.start(name: "tandem-io", lends: configuration.delivery == .attend) else {
            throw Failure(.limit, "the process may start no more threads or open no more descriptors")
        }
        let engine: any Backend
        do throws(Failure) {
            engine = try makeBackend(configuration, loop)
        } catch {
            _ = loop.stop(by: .never)
            throw error
        }
        return Client(
            backend: engine,
            loop: loop,
            host: slot.host(),
            options: configuration.client,
            clock: configuration.clock,
            random: configuration.random,
            desk: desk
        )
    }

    private static func makeBackend(_ configuration: Configuration, _ loop: EventLoop) throws(Failure) -> any Backend {
        switch configuration.place {
        case .embedded: return try Engine.open(configuration.engine, loop: loop)
        case .remote(let remote): return Remote(remote, loop: loop, random: configuration.random)
        case .discovered(let candidates):
            let inside = configuration.engine
            return DiscoveredEngine(candidates, loop: loop, random: configuration.random) { () throws(Failure) in
                try Engine.open(inside, loop: loop)
            }
        }
    }

    /// `"delivery":"thread"`: one thread that pumps until the client is closed.
    private static func startPumping(_ client: Client, _ slot: Slot) throws(Failure) {
        let handle = unsafe UInt(bitPattern: slot.handle)
        let thread = Thread.start("tandem-pump") {
            while unsafe tandem_pump(OpaquePointer(bitPattern: handle), 0, -1) >= 0 {}
        }
        guard let thread else { throw Failure(.limit, "the process may start no more threads") }
        client.pumper.withLock { $0 = thread }
    }
}

/// Where the engine's log records go: to the process's function, and to the client's own events.
private final class Records: Sendable {
    let client = Lock(WeakClient(nil))
    private let level: Int32

    init(_ level: Int32) { self.level = level }

    /// Whether anybody wants records of that level.
    func isOn(_ level: Int32) -> Bool { level <= max(self.level, libtandem_log_level()) }

    func write(_ level: Int32, _ message: String, _ fields: JSONText) {
        Log.write(level, message, fields)
        client.withLock { $0.client }?.log(level, message, fields)
    }
}

extension Configuration {
    /// Engines, wherever they run, log to these.
    fileprivate mutating func log(to records: Records) {
        engine.log = { level, message, fields in records.write(level, message, fields) }
        let log = RemoteLog(isOn: { records.isOn($0) }, write: { records.write($0, $1, $2) })
        switch place {
        case .embedded: break
        case .remote(var remote):
            remote.log = log
            place = .remote(remote)
        case .discovered(var candidates):
            for index in candidates.indices { candidates[index].log = log }
            place = .discovered(candidates)
        }
    }
}

private struct WeakClient: Sendable {
    weak let client: Client?

    init(_ client: Client?) { self.client = client }
}

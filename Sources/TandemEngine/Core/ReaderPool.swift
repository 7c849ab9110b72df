internal import TandemStore
internal import TandemSystem

/// The read connections: opened when first needed, lent to one thread at a time.
final class ReaderPool: Sendable {
    private struct State {
        var idle: [Connection] = []
        var opened = 0
        var isClosed = false
    }

    private let database: Database
    private let state = Monitor(State())

    static let limit = 8

    init(_ database: Database) { self.database = database }

    /// Lends a connection to `body`, which must keep nothing of it.
    func read<Result>(_ body: (Connection) throws(Halt) -> Result) throws(Halt) -> Result {
        let connection = try take()
        defer { giveBack(connection) }
        return try body(connection)
    }

    /// Closes all of them; false when some are still in use at the deadline.
    func close(by deadline: Deadline) -> Bool {
        state.change { $0.isClosed = true }
        let all = state.wait(until: deadline) { state -> [Connection]? in
            guard state.idle.count == state.opened else { return nil }
            defer {
                state.idle = []
                state.opened = 0
            }
            return state.idle
        }
        return all != nil
    }

    private enum Turn {
        case lend(Connection)
        case open
        case closed
    }

    private func take() throws(Halt) -> Connection {
        let turn = state.wait(until: .never) { state -> Turn? in
            if state.isClosed { return .closed }
            if let connection = state.idle.popLast() { return .lend(connection) }
            guard state.opened < ReaderPool.limit else { return nil }
            state.opened += 1
            return .open
        }
        switch turn {
        case .lend(let connection): return connection
        case .open: return try open()
        case .closed, nil: throw .failure(.engineClosed)
        }
    }

    private func open() throws(Halt) -> Connection {
        do throws(StoreError) { return try database.openReader() } catch {
            state.change { $0.opened -= 1 }
            throw .store(error)
        }
    }

    private func giveBack(_ connection: Connection) { state.change { $0.idle.append(connection) } }
}

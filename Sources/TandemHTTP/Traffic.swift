internal import TandemSystem

/// Counts what goes over connections, whichever threads use them.
package final class Traffic: Sendable {
    package struct Counts: Sendable, Equatable {
        /// Sockets, those of attempts that failed too.
        package fileprivate(set) var connectionsOpened: Int64 = 0
        package fileprivate(set) var connectionsOpen: Int64 = 0
        /// Of bodies, not of heads.
        package fileprivate(set) var bytesSent: Int64 = 0
        package fileprivate(set) var bytesReceived: Int64 = 0
    }

    private let state = Lock(Counts())

    package init() {}

    package var counts: Counts { state.withLock { $0 } }

    func connectionOpened() {
        state.withLock { counts in
            counts.connectionsOpened += 1
            counts.connectionsOpen += 1
        }
    }

    func connectionClosed() { state.withLock { $0.connectionsOpen -= 1 } }

    func sent(_ bytes: Int64) { if bytes > 0 { state.withLock { $0.bytesSent += bytes } } }

    func received(_ bytes: Int) { state.withLock { $0.bytesReceived += Int64(bytes) } }
}

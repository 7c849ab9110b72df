import Glibc
import TandemSystem

/// A server on loopback whose side of each connection is a script, on a thread of its own.
final class ScriptedServer: Sendable {
    typealias Script = @Sendable (Connection) -> Void

    let port: UInt16
    private let listener: Int32
    private let counters = Monitor((accepted: 0, open: 0))

    init(_ script: @escaping Script) {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                _ = bind(listener, pointer, size)
                _ = getsockname(listener, pointer, &size)
            }
        }
        listen(listener, 128)
        port = UInt16(bigEndian: address.sin_port)
        let counters = counters
        _ = Thread.start("server") {
            while true {
                let fd = accept(listener, nil, nil)
                // Closed here only: another server's listener could get the number while this thread still accepts.
                if fd < 0 {
                    close(listener)
                    return
                }
                counters.change { $0 = ($0.accepted + 1, $0.open + 1) }
                _ = Thread.start("connection") {
                    script(Connection(fd: fd))
                    close(fd)
                    counters.change { $0.open -= 1 }
                }
            }
        }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    var url: String { "http://127.0.0.1:\(port)" }

    var accepted: Int { counters.withLock { $0.accepted } }

    /// True when every connection has been closed by that time.
    func allClosed(by deadline: Deadline) -> Bool {
        counters.wait(until: deadline) { $0.accepted > 0 && $0.open == 0 ? true : nil } ?? false
    }

    /// A port on which nobody listens.
    static func closedPort() -> UInt16 {
        let server = ScriptedServer { _ in }
        return server.port
    }
}

/// The server's side of one connection.
struct Connection: Sendable {
    let fd: Int32

    /// The next request, head and body; nil when the client has closed.
    func request() -> String? {
        var bytes: [UInt8] = []
        var wanted: Int?
        while wanted.map({ bytes.count < $0 }) ?? true {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(fd, &buffer, buffer.count)
            if count <= 0 { return nil }
            bytes += buffer.prefix(count)
            if wanted == nil, let end = Connection.headEnd(bytes) {
                wanted = end + Connection.contentLength(String(decoding: bytes[..<end], as: UTF8.self))
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    /// Sends what the other side takes: gives how many bytes when it has taken none for so long.
    func sendUntilHeld(_ bytes: [UInt8], milliseconds: Int32) -> Int {
        var sent = 0
        while sent < bytes.count {
            var wanted = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
            if poll(&wanted, 1, milliseconds) <= 0 { return sent }
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    fd,
                    $0.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count <= 0 { return sent }
            sent += count
        }
        return sent
    }

    func sendEachByte(_ text: String) {
        var on: Int32 = 1
        setsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        for byte in text.utf8 {
            var byte = byte
            _ = Glibc.send(fd, &byte, 1, Int32(MSG_NOSIGNAL))
        }
    }

    /// A whole response with its length.
    func reply(_ status: Int, _ type: String, _ body: String, headers: String = "") {
        send(
            "HTTP/1.1 \(status) X\r\nContent-Type: \(type)\r\n\(headers)"
                + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
    }

    func streamHead() {
        send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    func chunk(_ text: String) { send(Connection.chunk(text)) }

    func lastChunk() { send("0\r\n\r\n") }

    static func chunk(_ text: String) -> String { String(text.utf8.count, radix: 16) + "\r\n" + text + "\r\n" }

    func waitForClose() { while request() != nil {} }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { bytes[$0..<($0 + 4)].elementsEqual(mark) }.map { $0 + 4 }
    }

    private static func contentLength(_ head: String) -> Int {
        for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix("content-length:") {
            return Int(line.dropFirst(15).filter(\.isNumber)) ?? 0
        }
        return 0
    }
}

internal import CCurl
internal import CTandemSystem
internal import TandemSystem

/// One of curl's multi handles, driven by an event loop; on the loop's thread only.
///
/// https://curl.se/libcurl/c/curl_multi_socket_action.html: curl tells which sockets and which moment to wait for, and
/// is told when they come; the cost of a turn does not grow with the number of transfers.
@safe final class MultiHandle: @unchecked Sendable {
    private let raw: UnsafeMutableRawPointer
    private var isClosed = false
    private unowned let loop: EventLoop
    private var timer: TimerID?
    /// While a handle is added, curl asks to be called at once: that needs no timer.
    private var isAdding = false
    private var isDue = false
    /// Called after curl has worked, from outside of curl.
    var afterTurn: () -> Void = {}

    /// Connections kept open for the next request, streams among them; past that an idle one is closed for each request
    /// that ends, so it has to be more than are usually under way.
    static let keptConnections = 128

    init?(_ loop: EventLoop) {
        guard CurlLibrary.isReady, let raw = unsafe CurlLibrary.makeMulti() else { return nil }
        unsafe self.raw = raw
        self.loop = loop
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe tandem_curl_multi_setopt_socket(raw, socketChanged)
        unsafe tandem_curl_multi_setopt_pointer(raw, CURLMOPT_SOCKETDATA, context)
        unsafe tandem_curl_multi_setopt_timer(raw, timerChanged)
        unsafe tandem_curl_multi_setopt_pointer(raw, CURLMOPT_TIMERDATA, context)
        unsafe tandem_curl_multi_setopt_long(raw, CURLMOPT_MAXCONNECTS, MultiHandle.keptConnections)
    }

    /// Closes the connections; before the last reference goes, for curl still calls back while it closes.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        unsafe curl_multi_cleanup(raw)
        if let timer { loop.cancelTimer(timer) }
    }

    /// Adds a handle; `begin` has to follow.
    func add(_ easy: EasyHandle) -> Bool {
        isAdding = true
        defer { isAdding = false }
        return unsafe curl_multi_add_handle(raw, easy.raw) == CURLM_OK
    }

    /// Lets curl begin with what was added, without `afterTurn`; gives the number of handles that are not finished, where
    /// curl has worked.
    func begin() -> Int? {
        guard isDue else { return nil }
        isDue = false
        return work(CURL_SOCKET_TIMEOUT, [])
    }

    func remove(_ easy: EasyHandle) { unsafe curl_multi_remove_handle(raw, easy.raw) }

    /// The next transfer that curl has finished, with its result.
    func nextFinished() -> (transfer: Transfer, result: CURLcode)? {
        var left: Int32 = 0
        while let message = unsafe curl_multi_info_read(raw, &left) {
            guard unsafe message.pointee.msg == CURLMSG_DONE else { continue }
            var context: UnsafeMutableRawPointer?
            let result = unsafe tandem_curl_message_result(message)
            unsafe tandem_curl_getinfo_pointer(message.pointee.easy_handle, CURLINFO_PRIVATE, &context)
            guard let context = unsafe context else { continue }
            return (unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue(), result)
        }
        return nil
    }

    fileprivate func watch(_ fd: curl_socket_t, _ what: Int32) {
        var interest: Readiness = []
        if what & CURL_POLL_IN != 0 { interest.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { interest.insert(.writable) }
        guard what != CURL_POLL_REMOVE else { return loop.unwatch(fd) }
        loop.watch(fd, for: interest) { [weak self] in self?.act(fd, $0) }
    }

    fileprivate func setTimer(_ milliseconds: Int) {
        if let timer { loop.cancelTimer(timer) }
        timer = nil
        guard milliseconds >= 0 else { return }
        if milliseconds == 0, isAdding {
            isDue = true
            return
        }
        let deadline = Deadline(afterMilliseconds: Int64(milliseconds))
        timer = loop.after(deadline) { [weak self] in self?.timeIsUp() }
    }

    private func timeIsUp() {
        timer = nil
        act(CURL_SOCKET_TIMEOUT, [])
    }

    private func act(_ fd: curl_socket_t, _ ready: Readiness) {
        if work(fd, ready) != nil { afterTurn() }
    }

    private func work(_ fd: curl_socket_t, _ ready: Readiness) -> Int? {
        guard !isClosed else { return nil }
        var mask: Int32 = 0
        if ready.contains(.readable) { mask |= CURL_CSELECT_IN }
        if ready.contains(.writable) { mask |= CURL_CSELECT_OUT }
        if ready.contains(.broken) { mask |= CURL_CSELECT_ERR }
        var running: Int32 = 0
        unsafe curl_multi_socket_action(raw, fd, mask, &running)
        return Int(running)
    }
}

private func socketChanged(
    _ easy: UnsafeMutableRawPointer?,
    _ fd: curl_socket_t,
    _ what: Int32,
    _ context: UnsafeMutableRawPointer?,
    _ socket: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return 0 }
    // A resolver's socket pair is curl's own and not close-on-exec in 7.88.
    if what != CURL_POLL_REMOVE { libtandem_set_cloexec(fd) }
    unsafe Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().watch(fd, what)
    return 0
}

private func timerChanged(
    _ multi: UnsafeMutableRawPointer?,
    _ milliseconds: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    guard let context = unsafe context else { return 0 }
    unsafe Unmanaged<MultiHandle>.fromOpaque(context).takeUnretainedValue().setTimer(milliseconds)
    return 0
}

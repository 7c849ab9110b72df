internal import CCurl
internal import CTandemSystem
internal import Glibc

/// One of curl's easy handles, with the memory that curl expects to live as long; on the loop's thread only.
@safe final class EasyHandle {
    let raw: UnsafeMutableRawPointer
    private var headers: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>

    init?() {
        guard let raw = unsafe curl_easy_init() else { return nil }
        unsafe self.raw = raw
        unsafe errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe errorText.pointee = 0
    }

    deinit {
        unsafe curl_easy_cleanup(raw)
        unsafe curl_slist_free_all(headers)
        unsafe errorText.deallocate()
    }

    /// Forgets the last request; connections and sessions stay with the multi handle.
    func reset() {
        unsafe curl_easy_reset(raw)
        unsafe curl_slist_free_all(headers)
        unsafe headers = nil
        unsafe errorText.pointee = 0
    }

    /// Goes on with what `takeBody` has paused, https://curl.se/libcurl/c/curl_easy_pause.html.
    ///
    /// Only that pauses: asked to before it reads, curl 7.88 ends the transfer as complete, without a head.
    func resume() { unsafe curl_easy_pause(raw, CURLPAUSE_CONT) }

    var detail: String { unsafe String(cString: errorText) }

    /// The errno of the last connection that failed.
    var systemError: Int { number(CURLINFO_OS_ERRNO) }

    var bytesSent: Int64 {
        var size: curl_off_t = 0
        unsafe tandem_curl_getinfo_size(raw, CURLINFO_SIZE_UPLOAD_T, &size)
        return Int64(size)
    }

    /// Sets all that the request and our own rules ask for; false when curl refuses something or memory is short.
    ///
    /// The traffic has to outlive the connections, which are closed through it.
    func prepare(_ request: HTTPRequest, context: UnsafeMutableRawPointer, _ traffic: Traffic) -> Bool {
        guard setRules(), setSocketCalls(traffic), setAddress(request), setRoute(request.route), setBody(request),
            setHeaders(request)
        else {
            return false
        }
        return unsafe set(CURLOPT_ERRORBUFFER, UnsafeMutableRawPointer(errorText))
            && set(CURLOPT_PRIVATE, context)
            && set(CURLOPT_WRITEDATA, context)
            && set(CURLOPT_HEADERDATA, context)
            && tandem_curl_setopt_data(raw, CURLOPT_WRITEFUNCTION, takeBody) == CURLE_OK
            && tandem_curl_setopt_data(raw, CURLOPT_HEADERFUNCTION, takeHeader) == CURLE_OK
            && (!request.isSentOnce || setSendCheck(context))
    }

    /// https://curl.se/libcurl/c/CURLOPT_PREREQFUNCTION.html: comes each time that the request is about to be sent.
    private func setSendCheck(_ context: UnsafeMutableRawPointer) -> Bool {
        unsafe set(CURLOPT_PREREQDATA, context) && tandem_curl_setopt_prereq(raw, aboutToSend) == CURLE_OK
    }

    private func setRules() -> Bool {
        // https://curl.se/libcurl/c/CURLOPT_NOSIGNAL.html: without it curl changes the host's signal handlers.
        set(CURLOPT_NOSIGNAL, 1)
            // https://curl.se/libcurl/c/CURLOPT_QUICK_EXIT.html: or ending waits for the resolver's thread.
            && set(CURLOPT_QUICK_EXIT, 1)
            && set(CURLOPT_FOLLOWLOCATION, 0)
            && set(CURLOPT_PROTOCOLS_STR, "http,https")
            && set(CURLOPT_TCP_NODELAY, 1)
            // Else curl takes the segments . and .. out, which are an argument's text.
            && set(CURLOPT_PATH_AS_IS, 1)
            && set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    }

    private func setSocketCalls(_ traffic: Traffic) -> Bool {
        let context = unsafe Unmanaged.passUnretained(traffic).toOpaque()
        return unsafe set(CURLOPT_OPENSOCKETDATA, context)
            && set(CURLOPT_CLOSESOCKETDATA, context)
            && tandem_curl_setopt_opensocket(raw, openSocket) == CURLE_OK
            && tandem_curl_setopt_closesocket(raw, closeSocket) == CURLE_OK
    }

    private func setAddress(_ request: HTTPRequest) -> Bool {
        set(CURLOPT_URL, request.url)
            && set(CURLOPT_CONNECTTIMEOUT_MS, max(Int(clamping: request.connectTimeoutMilliseconds), 1))
    }

    private func setRoute(_ route: HTTPRoute) -> Bool {
        // Empty texts, not nothing: curl reads http_proxy, no_proxy and their kin from the environment otherwise
        // (https://curl.se/libcurl/c/CURLOPT_PROXY.html).
        let isProxySet =
            switch route.proxy {
            case .none: set(CURLOPT_PROXY, "") && set(CURLOPT_NOPROXY, "")
            case .environment: true
            case .url(let url): set(CURLOPT_PROXY, url) && set(CURLOPT_NOPROXY, "")
            }
        return isProxySet
            && set(CURLOPT_CAINFO, given: route.caFile)
            && set(CURLOPT_SSLCERT, given: route.clientCertificate)
            && set(CURLOPT_SSLKEY, given: route.clientKey)
            && set(CURLOPT_UNIX_SOCKET_PATH, given: route.unixSocket)
    }

    private func setBody(_ request: HTTPRequest) -> Bool {
        if let body = request.body {
            let size = curl_off_t(body.count)
            guard unsafe tandem_curl_setopt_size(raw, CURLOPT_POSTFIELDSIZE_LARGE, size) == CURLE_OK else {
                return false
            }
            let copied = unsafe body.withUnsafeBytes { bytes in
                unsafe tandem_curl_setopt_pointer(
                    raw,
                    CURLOPT_COPYPOSTFIELDS,
                    UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? UnsafeRawPointer(errorText))
                )
            }
            return copied == CURLE_OK && (request.method == "POST" || set(CURLOPT_CUSTOMREQUEST, request.method))
        }
        switch request.method {
        case "GET": return set(CURLOPT_HTTPGET, 1)
        case "HEAD": return set(CURLOPT_NOBODY, 1)
        default: return set(CURLOPT_CUSTOMREQUEST, request.method)
        }
    }

    private func setHeaders(_ request: HTTPRequest) -> Bool {
        // curl adds these two on its own: a pause before larger bodies, and a type for bodies that name none.
        var lines = ["Expect:"]
        if request.body != nil, !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        // A header without a value is written with a semicolon (https://curl.se/libcurl/c/CURLOPT_HTTPHEADER.html).
        lines += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for line in lines {
            guard let longer = unsafe curl_slist_append(headers, line) else { return false }
            unsafe headers = longer
        }
        return unsafe tandem_curl_setopt_list(raw, CURLOPT_HTTPHEADER, headers) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ value: Int) -> Bool {
        unsafe tandem_curl_setopt_long(raw, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, _ value: String) -> Bool {
        unsafe tandem_curl_setopt_string(raw, option, value) == CURLE_OK
    }

    private func set(_ option: CURLoption, given value: String?) -> Bool { value.map { set(option, $0) } ?? true }

    private func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer) -> Bool {
        unsafe tandem_curl_setopt_pointer(raw, option, value) == CURLE_OK
    }

    private func number(_ info: CURLINFO) -> Int {
        var value = 0
        unsafe tandem_curl_getinfo_long(raw, info, &value)
        return value
    }
}

private func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    if transfer.isPaused { return Int(CURL_WRITEFUNC_PAUSE) }
    // `size` is 1, says https://curl.se/libcurl/c/CURLOPT_WRITEFUNCTION.html; less than `count` ends the transfer.
    return unsafe transfer.take(body: UnsafeRawBufferPointer(start: bytes, count: count)) ? count : 0
}

private func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?,
    _ size: Int,
    _ count: Int,
    _ context: UnsafeMutableRawPointer?
) -> Int {
    guard let context = unsafe context else { return 0 }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    let line = unsafe Array(UnsafeRawBufferPointer(start: bytes, count: count))
    return transfer.take(headerLine: line) ? count : -1
}

private func aboutToSend(
    _ context: UnsafeMutableRawPointer?,
    _ remoteAddress: UnsafeMutablePointer<CChar>?,
    _ localAddress: UnsafeMutablePointer<CChar>?,
    _ remotePort: Int32,
    _ localPort: Int32
) -> Int32 {
    guard let context = unsafe context else { return CURL_PREREQFUNC_ABORT }
    let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.maySend() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
}

private func openSocket(
    _ context: UnsafeMutableRawPointer?,
    _ purpose: curlsocktype,
    _ address: UnsafeMutablePointer<curl_sockaddr>?
) -> curl_socket_t {
    guard let address = unsafe address?.pointee else { return -1 }
    let type = address.socktype | Int32(SOCK_CLOEXEC.rawValue)
    let fd = socket(address.family, type, address.protocol)
    if fd >= 0 {
        libtandem_fork_remember_fd(fd)
        unsafe traffic(context)?.connectionOpened()
    }
    return fd
}

private func closeSocket(_ context: UnsafeMutableRawPointer?, _ fd: curl_socket_t) -> Int32 {
    libtandem_close(fd)
    unsafe traffic(context)?.connectionClosed()
    return 0
}

@unsafe private func traffic(_ context: UnsafeMutableRawPointer?) -> Traffic? {
    unsafe context.map { unsafe Unmanaged<Traffic>.fromOpaque($0).takeUnretainedValue() }
}
